#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Jobs on volumes are killed at every moment of theirs, and the core with every second of them: what is left is as before
or as asked for, never half. Arguments: the template's volume id, moments of each job, names of jobs (all)."""
from life_cases import *

MOMENTS = int(sys.argv[2])


def killed(request, delay, with_core):
    """Sends the request, kills its job after delay seconds, waits until all is quiet. True if the job had ended."""
    upid = begin(request)
    pid = int(upid.split(':')[2], 16)
    core = 'kill -9 $(pidof lodged);' if with_core == 1 else ''
    after = 'kill -9 $(pidof lodged);' if with_core >= 2 else ''
    if with_core == 3:  # as a power cut may leave it
        core = 'rm -f /var/lib/lodge/tasks/undo-*;'
    shell.stdin.write(f'sleep {delay:.4f}; {core} kill -9 -{pid} 2>/dev/null; {after}\n')
    shell.stdin.flush()
    result = ended(upid)
    shell.stdin.write('echo >/run/kill.done\n')
    shell.stdin.flush()
    wait_for(20, lambda: on_node('rm', '/run/kill.done', check=False).returncode == 0, 0.05)
    settle()
    return result == 'OK'


def attack(name, prepare, request, is_done, back):
    """The job is killed at moments from its beginning to its end, as long as it takes without."""
    if prepare:
        prepare()
    get = lambda: request[0] if isinstance(request, list) else request
    began = time.monotonic()
    do(get())
    took = time.monotonic() - began
    if not is_done():
        return ok(f'{name} does what it should', False)
    counts = [0, 0]
    bad = []
    for i in range(MOMENTS):
        back()
        if prepare:
            prepare()
        state = running_before(VMID)
        delay = took * 1.1 * i / MOMENTS
        try:
            killed(get(), delay, i % 4)
            # a core that comes back looks for what has no job once it knows its jobs
            wait_for(15, lambda: not whole(VMID) + whole(COPY), 0.1)
            settle()
            wrong = whole(VMID) + whole(COPY)
            done = is_done()
            if state == 'running' and running_before(VMID) != 'running':
                wrong.append(f'it was {state} and is {running_before(VMID)}')
            frozen = on_node('sh', '-c', 'ls /run/lodge/guests/*.held 2>/dev/null; :')
            if frozen:
                wrong.append(frozen)
            if wrong:
                bad.append(f'after {delay * 1000:.0f} of {took * 1000:.0f} ms, {i % 4}: {wrong}\n{last_tasks()}')
            if not done:
                do(get())  # a second call does it
                if not is_done():
                    bad.append('a second call did not do it')
            counts[done] += 1
        except Exception:
            bad.append(f'after {delay * 1000:.0f} of {took * 1000:.0f} ms, {i % 4}: {traceback.format_exc()}')
            break
    back()
    ok(f'{name}: killed at {MOMENTS} moments of {took * 1000:.0f} ms, {counts[0]} times undone, {counts[1]} times done', not bad, *bad)
    # the others only go forward once they have begun
    if MOMENTS >= 10 and name.startswith(('create', 'clone', 'snapshot', 'move', 'give')):
        ok(f'{name}: both happened', counts[0] > 0 and counts[1] > 0, counts)


def main():
    before = residue()
    for name in [f'op_{n}' for n in sys.argv[3:]] or [n for n in OPERATIONS if not n.startswith(('op_config', 'op_qm'))]:
        try:
            for case in OPERATIONS[name]():
                attack(name[3:], *case)
        except Exception:
            ok(f'{name[3:]} ran to its end', False, traceback.format_exc())
        remove(COPY, VMID)
        settle()
        unchanged(f'{name[3:]}: mounts, loops, cgroups, links and files are as before', residue, before, 10)
        same(f'{name[3:]}: nothing on btrfs', on_disk(), set())


main()
shell.stdin.close()
finish()
