#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Jobs on volumes are killed at every moment of theirs, and the core with every second of them: what is left is as before
or as asked for, never half. Arguments: the template's volume id, moments of each job, names of jobs (all)."""
import threading

from lodge_test import *

TEMPLATE, MOMENTS = sys.argv[1], int(sys.argv[2])
VMID, COPY = 240, 241
N = f'/nodes/{NODE}'
session, _ = login()
shell = subprocess.Popen([os.environ['LODGE_IN'], 'sh'], stdin=subprocess.PIPE, text=True)


def call(verb, path, params=None):
    """Until it is answered: the core may be coming back."""
    end = time.monotonic() + 40
    while True:
        try:
            r = wire(verb, path, params, session)
            if r.json is not None and r.status not in (503, 504, 596):
                return r
        except (OSError, http.client.HTTPException) as e:
            r = e
        if time.monotonic() > end:
            raise RuntimeError(f'{verb} {path}: {r}')
        time.sleep(0.1)


def data(verb, path, params=None):
    r = call(verb, path, params)
    if r.status != 200:
        raise RuntimeError(f'{verb} {path}: {r}')
    return r.data


def ended(upid):
    def look():
        s = data('GET', f'{N}/tasks/{upid}/status')
        return s if s['status'] == 'stopped' else None
    s = wait_for(60, look, 0.05)
    return s['exitstatus'] if s else 'still running'


def settle():
    """No job runs any more, and none is still to come: undoing begins as soon as a job is known to be dead."""
    def quiet():
        return not [t for t in data('GET', f'{N}/tasks', {'source': 'active'}) if t.get('status') in (None, 'running', '')]
    ok = wait_for(60, lambda: quiet() and not on_node('sh', '-c', 'ls /var/lib/lodge/tasks | grep -E "^(new|undo)-" || :'), 0.1)
    if not ok:
        say('# does not settle: ' + on_node('sh', '-c', 'ls /var/lib/lodge/tasks; ls /run/lodge/jobs'))


def config(vmid):
    r = call('GET', f'{N}/lxc/{vmid}/config')
    if r.status == 200:
        return r.data
    if 'does not exist' in str(r):
        return None
    raise RuntimeError(str(r))


def snapshots(vmid):
    return [s for s in data('GET', f'{N}/lxc/{vmid}/snapshot') if s['name'] != 'current']


def volids(vmid):
    return {v['volid'] for s in ('local', 'btr', 'img') for v in data('GET', f'{N}/storage/{s}/content', {'vmid': vmid})}


def named(c):
    """Volumes that a configuration names."""
    return {v.split(',')[0] for k, v in (c or {}).items()
            if k == 'rootfs' or (k[:2] == 'mp' and k[2:].isdigit()) or k.startswith('unused')}


def on_disk():
    """Every folder and image of both guests, snapshots too."""
    return set(on_node('sh', '-c', 'cd /srv/btr/images 2>/dev/null && ls -dA */* */.[!.]* 2>/dev/null; :').split())


def residue():
    return on_node('/lab/residue.sh').splitlines()


def whole(vmid):
    """What is wrong with a guest, [] if nothing: volumes that nothing names, names without volumes, locks."""
    c = config(vmid)
    wrong = []
    if c is None:
        return [f'volumes without a guest: {volids(vmid)}'] if volids(vmid) else []
    if 'lock' in c:
        wrong.append(f'locked: {c["lock"]}')
    wanted = named(c)
    for s in snapshots(vmid):
        if 'snapstate' in s:
            wrong.append(f'snapshot {s}')
        wanted |= named(data('GET', f'{N}/lxc/{vmid}/snapshot/{s["name"]}/config'))
    if volids(vmid) != wanted:
        wrong.append(f'volumes {volids(vmid)}, named {wanted}')
    names = {s['name'] for s in snapshots(vmid)}
    for v in wanted:
        if v.startswith('btr:'):
            base = v.split('/')[-1].rsplit('.', 1)[0]
            there = {x.split('@')[1] for x in on_disk() if x.startswith(f'{vmid}/{base}@')}
            if there != names:
                wrong.append(f'{v} has snapshots {there}, the configuration {names}')
    hidden = {x for x in on_disk() if '/.' in x}
    if hidden:
        wrong.append(f'hidden: {hidden}')
    return wrong


def create(storage='btr', mp=None, vmid=VMID, start=False):
    params = {'vmid': vmid, 'ostemplate': TEMPLATE, 'rootfs': f'{storage}:0.1', 'memory': 32, 'swap': 0, 'hostname': 'kill'}
    if mp:
        params['mp0'] = mp
    if start:
        params['start'] = 1
    return 'POST', f'{N}/lxc', params


def do(request):
    upid = data(*request)
    result = ended(upid) if upid else 'OK'
    if result != 'OK':
        raise RuntimeError(f'{request}: {result}\n' + '\n'.join(x['t'] for x in data('GET', f'{N}/tasks/{upid}/log')))


def remove(*vmids):
    for vmid in vmids:
        if config(vmid) is not None:
            do(('DELETE', f'{N}/lxc/{vmid}', {'force': 1}))


def begin(request):
    """The task's id, also of a call that waits for its task."""
    if not request[1].endswith('/template'):
        return data(*request)
    known = {t['upid'] for t in data('GET', f'{N}/tasks', {'limit': 20})}
    threading.Thread(target=lambda: wire(*request, session), daemon=True).start()
    return wait_for(10, lambda: [t['upid'] for t in data('GET', f'{N}/tasks', {'limit': 3, 'source': 'all'})
                                 if t['type'] == 'vztemplate' and t['upid'] not in known], 0.005)[0]


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


# Each: what is there before, the request, whether it was done, what takes it back. `again` is the second call.
def op_create():
    yield None, create('btr', 'btr:0.1,mp=/data'), lambda: config(VMID) is not None, lambda: remove(VMID)


def op_create_image():
    yield None, create('local', 'local:0.1,mp=/data'), lambda: config(VMID) is not None, lambda: remove(VMID)


def op_clone():
    do(create('btr', 'btr:0.1,mp=/data'))
    yield None, ('POST', f'{N}/lxc/{VMID}/clone', {'newid': COPY}), lambda: config(COPY) is not None, lambda: remove(COPY)


def op_clone_image():
    do(create('local'))
    yield None, ('POST', f'{N}/lxc/{VMID}/clone', {'newid': COPY}), lambda: config(COPY) is not None, lambda: remove(COPY)


def op_clone_link():
    do(create('btr', start=True))
    yield None, ('POST', f'{N}/lxc/{VMID}/clone', {'newid': COPY, 'full': 0}), lambda: config(COPY) is not None, lambda: remove(COPY)


def op_snapshot():
    do(create('btr', 'btr:0.1,mp=/data', start=True))
    take = ('POST', f'{N}/lxc/{VMID}/snapshot', {'snapname': 'snap'})
    drop = ('DELETE', f'{N}/lxc/{VMID}/snapshot/snap', None)
    yield None, take, lambda: len(snapshots(VMID)) == 1, lambda: do(drop) if snapshots(VMID) else None


def op_delsnapshot():
    do(create('btr', 'btr:0.1,mp=/data'))
    take = ('POST', f'{N}/lxc/{VMID}/snapshot', {'snapname': 'snap'})
    yield lambda: snapshots(VMID) or do(take), ('DELETE', f'{N}/lxc/{VMID}/snapshot/snap', None), lambda: not snapshots(VMID), lambda: None


def op_rollback():
    do(create('btr', 'btr:0.1,mp=/data'))
    do(('POST', f'{N}/lxc/{VMID}/snapshot', {'snapname': 'snap'}))
    yield (lambda: data('PUT', f'{N}/lxc/{VMID}/config', {'memory': 48}), ('POST', f'{N}/lxc/{VMID}/snapshot/snap/rollback', {}),
           lambda: config(VMID)['memory'] == 32, lambda: None)


def op_resize():
    size = [110]
    for storage in ('local', 'btr'):
        do(create(storage))

        def prepare():
            size[0] += 10
            requests[0] = ('PUT', f'{N}/lxc/{VMID}/resize', {'disk': 'rootfs', 'size': f'{size[0]}M'})
        requests = [None]
        yield prepare, requests, lambda: config(VMID)['rootfs'].endswith(f'size={size[0]}M'), lambda: None
        remove(VMID)


def op_move():
    do(create('local', 'local:0.1,mp=/data'))

    def back():
        if config(VMID)['mp0'].startswith('img:'):
            do(('POST', f'{N}/lxc/{VMID}/move_volume', {'volume': 'mp0', 'storage': 'local', 'delete': 1}))
    yield (None, ('POST', f'{N}/lxc/{VMID}/move_volume', {'volume': 'mp0', 'storage': 'img', 'delete': 1}),
           lambda: config(VMID)['mp0'].startswith('img:'), back)


def op_give():
    do(create('local', 'local:0.1,mp=/data'))
    do(create('local', vmid=COPY))

    def back():
        if 'mp0' in config(COPY):
            do(('POST', f'{N}/lxc/{COPY}/move_volume', {'volume': 'mp0', 'target-vmid': VMID}))
    yield (None, ('POST', f'{N}/lxc/{VMID}/move_volume', {'volume': 'mp0', 'target-vmid': COPY}),
           lambda: 'mp0' in config(COPY) and 'mp0' not in config(VMID), back)


def op_template():
    def prepare():
        remove(VMID)
        do(create('btr', 'btr:0.1,mp=/data'))
    yield prepare, ('POST', f'{N}/lxc/{VMID}/template', {}), lambda: config(VMID).get('template') == 1, lambda: remove(VMID)


def op_destroy():
    def prepare():
        if config(VMID) is None:
            do(create('btr', 'btr:0.1,mp=/data'))
            do(('POST', f'{N}/lxc/{VMID}/snapshot', {'snapname': 'snap'}))
    yield prepare, ('DELETE', f'{N}/lxc/{VMID}', None), lambda: config(VMID) is None, lambda: None


def running_before(vmid):
    r = call('GET', f'{N}/lxc/{vmid}/status/current')
    return r.status == 200 and r.data['status']


def last_tasks():
    """What the last tasks said, for a failure."""
    text = [f'{VMID}: {config(VMID)}', f'{COPY}: {config(COPY)}', on_node('sh', '-c', 'ls /var/lib/lodge/tasks | grep -v "^.$"; :')]
    for t in data('GET', f'{N}/tasks', {'limit': 4}):
        text.append(f'{t["upid"]}: {t.get("status")}')
        text += ['    ' + x['t'] for x in data('GET', f'{N}/tasks/{t["upid"]}/log', {'limit': 20})]
    return '\n'.join(text)


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
    all_ops = [n for n in globals() if n.startswith('op_')]
    before = residue()
    for name in [f'op_{n}' for n in sys.argv[3:]] or all_ops:
        try:
            for case in globals()[name]():
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
