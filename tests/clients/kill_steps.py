#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Jobs on volumes are killed before each of their steps (system calls that change something, tests/lab/kill/steps.h),
their undo before each of its own, and the core before each of its own meanwhile. What is left must be as before or as
asked for, and a second call does it.
Arguments: the template's volume id; points of each job (0: every one), points of its undo and of the core (0: every one,
-1: one of either, by turns); operations (all)."""
from life_cases import *

POINTS, MORE_POINTS = int(sys.argv[2]), int(sys.argv[3])
FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.environ['LODGE_IN'])), 'kill')
TOOL, NODE_FOLDER = '/lab/kill-step', '/lab/kill'
# the job with all that it started; one process; the job alone, while what it started goes on; job and core; job, core
# and what the core noted about undoing
HOWS = ('all', 'one', 'core', 'leader', 'cut')
UNDO_HOWS = ('core', 'all', 'cut')
COMMANDS = {'create': 'vzcreate', 'clone': 'vzclone', 'snapshot': 'vzsnapshot', 'delsnapshot': 'vzdelsnapshot',
            'rollback': 'vzrollback', 'resize': 'vzresize', 'move': 'vzmove', 'give': 'vzmove', 'template': 'vztemplate',
            'config': 'vzconfig', 'destroy': 'vzdestroy', 'qmcreate': 'qmcreate', 'qmconfig': 'qmconfig'}
# Points that need not be come to, as long as one is: not each time a job takes the same number of steps, and a core, which
# has timers of its own, less so. Of so many points, one more.
MISSES, CORE_MISSES, MISSES_PER = 1, 3, 20
# the others end what they have begun by themselves
UNDOS = {c: c + '-undo' for c in ('vzcreate', 'vzclone', 'vzsnapshot', 'vzmove', 'vzconfig', 'qmcreate', 'qmconfig')}


class Killing:
    """One request, and what is killed while it is done."""

    def __init__(self, command, request):
        self.command, self.request, self.reply, self.upid = command, request, None, None

    def path(self, name):
        return os.path.join(FOLDER, name)

    def arm(self, step, how, label='job'):
        core = core_pid()
        with open(self.path('.arm'), 'w') as f:
            f.write(f'{step} {how} {core} {label}\n')
        command = self.command if label == 'job' else UNDOS.get(self.command, self.command + '.next')
        os.rename(self.path('.arm'), self.path(f'arm-{command}'))

    def begin(self):
        def ask():
            try:
                self.reply = wire(*self.request, session)
            except (OSError, http.client.HTTPException):
                pass  # the core was killed
        self.thread = threading.Thread(target=ask, daemon=True)
        self.thread.start()

    def done(self, label='job', seconds=60):
        """(who was killed or "", the steps it came to), or None: not yet."""
        path = self.path(f'done-{label}')
        if not wait_for(seconds, lambda: os.path.exists(path), 0.005):
            return None
        with open(path) as f:
            lines = f.read().splitlines()
        os.unlink(path)
        outcome, _, victims = (lines[0] + ' ').split(' ', 2)
        return victims.strip() if outcome == 'killed' else '', lines[1:]

    def end(self):
        self.thread.join(60)
        for name in os.listdir(FOLDER):
            if name.startswith(('arm-', 'done-', 'ready-')):
                os.unlink(self.path(name))

    def is_acknowledged(self):
        """Was the caller, or whoever asks for the task, told that it was done?"""
        if self.reply is None or self.reply.status != 200:
            return False
        upid = self.reply.data
        return not upid or data('GET', f'{N}/tasks/{upid}/status').get('exitstatus', '').startswith(('OK', 'WARNINGS'))


def must(value, what):
    if not value:
        raise RuntimeError(what)
    return value


def core_pid():
    return ask('pidof lodged')[0].split()[0]


def hits(victims, how, core):
    """Was the one killed that was to be? A core that was is another process by now."""
    if not victims:
        return False
    if how in ('core', 'cut'):
        must(victims == 'all core', f'"{how}" killed {victims}')
    if how in ('core', 'cut', 'the core'):
        must(core_pid() != core, f'the core {core} was to be killed and is there')
    return {'one': victims in ('leader', 'child'), 'leader': victims == 'leader'}.get(how, True)


def strike(command, request, step, how):
    """Kills the job before that step. (hit, steps, acknowledged)"""
    k = Killing(command, request)
    core = core_pid()
    k.arm(step, how)
    k.begin()
    victims, steps = must(k.done(), f'the job {command} does not come: {k.reply}')
    settle()
    k.end()
    return hits(victims, how, core), steps, k.is_acknowledged()


def strike_core(command, request, step):
    """Kills the core before that step of its own, counted from the call on."""
    k = Killing(command, request)
    core = core_pid()
    k.arm(0, 'all')
    shell.stdin.write(f'{TOOL} core {NODE_FOLDER} {core} {step} & holder=$!\n')
    shell.stdin.flush()
    must(wait_for(20, lambda: os.path.exists(k.path('ready-core')), 0.005), 'the core cannot be held')
    k.begin()
    k.thread.join(60)
    if k.reply is not None and k.reply.status == 200:
        must(k.done(), f'the job {command} does not end')
    settle()
    shell.stdin.write('kill $holder\n')
    shell.stdin.flush()
    victims, steps = must(k.done('core'), 'the core is held for ever')
    acknowledged = k.is_acknowledged()
    k.end()
    return hits(victims, 'the core', core), steps, acknowledged


def strike_undo(command, request, step, undo_step, how):
    """Kills the job before that step, then what undoes it before another one."""
    k = Killing(command, request)
    core = core_pid()
    k.arm(undo_step, how, 'undo')
    k.arm(step, 'all')
    k.begin()
    must(k.done(), f'the job {command} does not come: {k.reply}')
    victims, steps = must(k.done('undo'), f'nothing undoes {command}')
    settle()
    k.end()
    return hits(victims, how, core), steps, k.is_acknowledged()


def points(count, wanted):
    """Numbers from 1 to count: all, or so many of them, spread evenly."""
    if wanted == 0 or wanted >= count:
        return list(range(1, count + 1))
    return sorted({1 + round(i * (count - 1) / (wanted - 1)) for i in range(wanted)}) if wanted > 1 else [1 + count // 2]


def traces():
    """What a job may leave on the node beside its volumes."""
    return [line for line in residue() if not line.startswith('file /var/lib/lodge/local/images')] + \
        ['hidden ' + x for x in ask('find /var/lib/lodge/local/images /srv/*/images -mindepth 1 -maxdepth 2 -name ".*"; ls -d /run/lodge/guests/*.held')]


class Operation:
    def __init__(self, name, prepare, request, is_done, back):
        self.name, self.command = name, COMMANDS[name.split('_')[0]]
        self.prepare, self.is_done, self.back = prepare, is_done, back
        self.request = lambda: request[0] if isinstance(request, list) else request
        self.bad, self.counts, self.missed, self.traces = [], [0, 0], [], None

    def set_up(self):
        self.back()
        if self.prepare:
            self.prepare()
        self.state = running_before(VMID)
        if self.traces is None:
            self.traces = traces()

    def wrong(self):
        w = whole(VMID) + whole(COPY)
        now = traces()
        w += [f'+ {x}' for x in now if x not in self.traces]
        if self.state == 'running' and running_before(VMID) != 'running':
            w.append(f'it was running and is {running_before(VMID)}')
        return w

    def judge(self, where, acknowledged):
        wrong = self.wrong()
        if wrong:  # a core that comes back looks for what has no job once it knows its jobs
            wait_for(10, lambda: not self.wrong(), 0.1)
            settle()
            wrong = self.wrong()
        done = self.is_done()
        if acknowledged and not done:
            wrong.append('it was told to be done, and is not')
        if wrong:
            self.bad.append(f'{where}: {wrong}\n{last_tasks()}')
        self.counts[bool(done)] += 1
        if not done:
            do(self.request())
            if not self.is_done():
                self.bad.append(f'{where}: a second call did not do it')

    def attempt(self, where, kill, *arguments):
        """False: it cannot go on."""
        try:
            self.set_up()
            hit, steps, acknowledged = kill(self.command, self.request(), *arguments)
            if not hit:
                self.missed.append(where)
            self.judge(f'{where}{" before " + steps[-1] if hit else ""}', acknowledged)
        except Exception:
            self.bad.append(f'{where}: {traceback.format_exc()}\n{last_tasks()}')
            return False
        return len(self.bad) < 5

    def count(self, kill, *arguments):
        self.set_up()
        _, steps, _ = kill(self.command, self.request(), *arguments)
        must(kill == strike_undo or self.is_done(), f'{self.name} does not do what it should\n{last_tasks()}')
        return len(steps)

    def strike_all(self, what, count, chosen, kill, arguments):
        for i, step in enumerate(chosen):
            if not self.attempt(f'{what}, step {step} of {count}', kill, *arguments(i, step)):
                break
        misses = (CORE_MISSES if kill == strike_core else MISSES) + len(chosen) // MISSES_PER
        ok(f'{self.name}: {what} killed at {len(chosen) - len(self.missed)} of {count} steps, {self.counts[0]} times undone, '
           f'{self.counts[1]} times done', not self.bad and sum(self.counts) == len(chosen) and
           len(self.missed) <= min(misses, len(chosen) - 1), f'not hit: {self.missed}', *self.bad)
        self.bad, self.counts, self.missed = [], [0, 0], []

    def attack_job(self, turn, hows):
        count = self.count(strike, 0, 'all')
        self.strike_all('the job', count, points(count, POINTS), strike, lambda i, step: (step, hows[(turn + i) % len(hows)]))
        return count

    def attack_undo(self, turn, count, wanted, hows):
        middle = 1 + count * 2 // 3  # most of it is there
        count = self.count(strike_undo, middle, 0, 'all')
        self.strike_all('its undo', count, points(count, wanted), strike_undo,
                        lambda i, step: (middle, step, hows[(turn + i) % len(hows)]))

    def attack_core(self, wanted):
        count = min(self.count(strike_core, 0) for _ in range(2))  # its timers come when they come
        self.strike_all('the core', count, points(count, wanted), strike_core, lambda i, step: (step,))

    def attack(self, turn):
        """A core takes more than a second to come back: the short form kills it with the undo of one operation, alone in
        the next one, and spares it in the third."""
        is_short = MORE_POINTS < 0
        count = self.attack_job(turn, [h for h in HOWS if not is_short or h not in ('core', 'cut')])
        if not is_short or turn % 3 == 0:
            self.attack_undo(turn // 3, count, abs(MORE_POINTS), [h for h in UNDO_HOWS if not is_short or h != 'all'])
        if not is_short or turn % 3 == 1:
            self.attack_core(abs(MORE_POINTS))
        self.back()


def main():
    os.makedirs(FOLDER, exist_ok=True)
    all_of = [n for n in OPERATIONS if not n.startswith('op_qm') or os.environ.get('LODGE_HAS_MACHINES')]
    for turn, name in enumerate([f'op_{n}' for n in sys.argv[4:]] or all_of):
        before, began = residue(), time.monotonic()
        try:
            for case in OPERATIONS[name]():
                Operation(name[3:], *case).attack(turn)
        except Exception:
            ok(f'{name[3:]} ran to its end', False, traceback.format_exc())
        remove(COPY, VMID)
        use('lxc')
        settle()
        unchanged(f'{name[3:]}: mounts, loops, cgroups, links and files are as before', residue, before, 10)
        same(f'{name[3:]}: nothing on btrfs', on_disk(), set())
        say(f'# {name[3:]}: {time.monotonic() - began:.1f} s')


main()
shell.stdin.close()
finish()
