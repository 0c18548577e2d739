#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Work of several clients while the node's processes are killed one after the other. The clients keep a
journal: what was acknowledged must be there in the end, what was not may be. No machine ever has two
emulators. Arguments: rounds, seed, volume id of a busybox template, "vm" where the node has a libvirtd."""
import random
import threading

from lodge_test import *

ROUNDS, SEED, TEMPLATE = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
N = f'/nodes/{NODE}'
KEEPERS = [201, 202]
WITH_VM = 'vm' in sys.argv[4:]
VM_KEEPER = 203
session, _ = login()
stop = threading.Event()
UNKNOWN = object()
counts = {'acknowledged': 0, 'refused': 0, 'unclear': 0}
upids = []
refused = {}
lock = threading.Lock()


def call(verb, path, params=None):
    """(status or None when nobody knows whether it was done, data, text)"""
    try:
        r = wire(verb, path, params, session)
    except (OSError, http.client.HTTPException) as e:
        r = None
    kind = 'unclear' if r is None or r.status in (503, 504, 596) or r.json is None else \
        'acknowledged' if r.status == 200 else 'refused'
    if verb != 'GET':
        with lock:
            counts[kind] += 1
            if kind == 'refused':
                refused[r.reason] = refused.get(r.reason, 0) + 1
    if kind == 'unclear':
        return None, None, str(r)
    return r.status, r.data, str(r)


def ask(path):
    """A GET that goes on until it is answered."""
    end = time.monotonic() + 30
    while True:
        status, data, text = call('GET', path)
        if status == 200:
            return data
        if status is not None or time.monotonic() > end:
            raise RuntimeError(f'GET {path}: {text}')
        time.sleep(0.1)


def task(verb, path, params=None):
    """The exit status of the job, or UNKNOWN when the call was not clearly answered, None when it was refused."""
    status, upid, _ = call(verb, path, params)
    if status is None:
        return UNKNOWN
    if status != 200:
        return None
    with lock:
        upids.append(upid)
    end = time.monotonic() + 90
    while time.monotonic() < end:
        s = ask(f'{N}/tasks/{upid}/status')
        if s['status'] == 'stopped':
            return s['exitstatus']
        time.sleep(0.1)
    raise RuntimeError(f'{upid} does not end')


class Guest:
    """What is known of one guest: each attribute is the set of values that it may have."""
    kind = 'lxc'

    def __init__(self, vmid):
        self.vmid, self.there, self.running, self.text = vmid, {False}, {False}, {None}

    def __str__(self):
        return f'{self.vmid}: there {self.there}, running {self.running}, description {self.text}'

    def path(self, below=''):
        return f'{N}/{self.kind}/{self.vmid}{below}'

    def new(self):
        return {'ostemplate': TEMPLATE, 'rootfs': 'local:0.1', 'memory': 32, 'swap': 0, 'hostname': f'k{self.vmid}'}

    def process(self):
        return init_of(self.vmid)

    def create(self):
        result = task('POST', f'{N}/{self.kind}', {'vmid': self.vmid, **self.new()})
        if result == 'OK':
            self.there, self.running, self.text = {True}, {False}, {None}
        elif result is UNKNOWN:
            self.there, self.text = self.there | {True}, self.text | {None}
        # a create that failed or was killed is undone; refused: as it was

    def destroy(self):
        result = task('DELETE', self.path())
        if result == 'OK':
            self.there, self.running, self.text = {False}, {False}, {None}
        elif result is not None:
            self.there, self.text = self.there | {False}, self.text | {None}

    def power(self, verb, state):
        result = task('POST', self.path(f'/status/{verb}'), {})
        if result == 'OK':
            self.running = {state}
        elif result is not None:
            self.running = {True, False}

    def describe(self, number):
        status, _, _ = call('PUT', self.path('/config'), {'description': f'number {number}'})
        if status == 200:
            self.text = {f'number {number}'}
        elif status is None:
            self.text = self.text | {f'number {number}'}


class Machine(Guest):
    kind = 'qemu'

    def new(self):
        return {'memory': 16, 'kvm': 0, 'name': f'k{self.vmid}', 'scsi0': 'local:0.01'}

    def process(self):
        return emulator_of(self.vmid)


def work(guests, rng):
    number = 0
    while not stop.is_set():
        guest = rng.choice(guests)
        number += 1
        if guest.there == {False}:
            guest.create()
        else:
            what = rng.choice(['describe'] * 5 + ['start'] * 3 + ['stop'] * 2 + ['destroy', 'create'])
            if what == 'describe':
                guest.describe(number)
            elif what in ('start', 'stop'):
                guest.power(what, what == 'start')
            else:
                getattr(guest, what)()


TARGETS = {
    'lodged': r'^/usr/libexec/lodge/lodged( |$)', 'lodge-gate': r'^/usr/libexec/lodge/lodge-gate',
    'lodge-monitor': r'^/usr/libexec/lodge/lodge-monitor', 'job': r'^/usr/libexec/lodge/lodge-task(-ct|-vm)? (vz|qm|img)',
}


def kill(what, rng):
    """The pid, or None when there was none within three seconds. Runs as one program on the node: jobs are short."""
    delay = rng.random() * (0.05 if what == 'job' else 0.2)
    script = """for i in $(seq 300); do
        pid=$(pgrep -f "$1" | shuf -n 1)
        [ -z "$pid" ] || { sleep "$2"; kill -9 "$pid" 2>/dev/null && echo "$pid"; exit; }
        sleep 0.01
    done"""
    return on_node('sh', '-c', script, 'sh', TARGETS[what], f'{delay:.3f}', check=False).stdout.strip() or None


def back():
    """Seconds until the API answers."""
    begin = time.monotonic()
    wait_for(15, lambda: call('GET', '/version')[0] == 200, 0.05)
    return time.monotonic() - begin


def comes_back():
    """With nothing else to do, and killed just before: the best of three for each daemon, for others use this machine too."""
    for what in [t for t in TARGETS if not t.endswith('job')]:
        took = []
        for _ in range(3):
            if kill(what, random.Random(SEED)):
                took.append(back())
            if took and min(took) < 3:
                break
        ok(f'{what} once more: the API answers again within 3 s: one for the supervisor, two to start', took and min(took) < 3, took)


def rounds():
    rng = random.Random(SEED)
    guests = [[Guest(300 + 10 * i + j) for j in range(2)] for i in range(4)]
    if WITH_VM:
        TARGETS['vm job'] = r'^/usr/libexec/lodge/lodge-task-vm qm'
        guests += [[Machine(400 + 10 * i + j) for j in range(2)] for i in range(2)]
        twice = Twice()
    errors = []

    def guarded(*args):
        try:
            work(*args)
        except Exception:
            errors.append(traceback.format_exc())
    threads = [threading.Thread(target=guarded, args=(g, random.Random(SEED + i))) for i, g in enumerate(guests)]
    before = keepers_are()
    for t in threads:
        t.start()
    killed, away, first = {}, 0, {}
    for i in range(3 * ROUNDS):
        left = [what for what in TARGETS if what not in killed]  # a job may have been too short to be met
        if i >= ROUNDS and not left:
            break
        time.sleep(rng.random() * 0.8)
        what = left[i % len(left)] if left and (i < len(TARGETS) or i >= ROUNDS) else rng.choice([*TARGETS, 'job'])
        if kill(what, rng):
            killed[what] = killed.get(what, 0) + 1
        took = back()
        away = max(away, took)
        first.setdefault(what, took)
    stop.set()
    for t in threads:
        t.join(120)
    if WITH_VM:
        ok('no machine ever had two emulators', twice.none(), twice.seen)
    say(f'# killed {killed}, calls {counts}, tasks {len(upids)}, longest away {away:.1f} s, after the first kill of each {max(first.values()):.1f} s')
    for reason, count in sorted(refused.items(), key=lambda x: -x[1])[:8]:
        say(f'# refused {count}x {reason}')
    ok('the clients came to their end', not errors and not any(t.is_alive() for t in threads), *errors)
    ok('however often they are killed, and whatever else is done, the API answers again within 10 s', away < 10, away)
    ok('each kind was killed', set(killed) == set(TARGETS), killed)
    ok('enough was done to tell', counts['acknowledged'] > ROUNDS, counts)
    comes_back()
    ok('guests that were running run on', keepers_are() == before, before)
    check([g for part in guests for g in part])


def init_of(vmid):
    return on_node('lxc-info', '-P', '/run/lodge/ct', '-n', str(vmid), '-pH', check=False).stdout.strip() or None


def emulator_of(vmid):
    """Process ids, or None; more than one is a fault that the caller sees."""
    return on_node('pgrep', '-f', f'guest=lodge-{vmid},', check=False).stdout.strip() or None


def keepers_are():
    found = {k: init_of(k) for k in KEEPERS}
    if WITH_VM:
        found[VM_KEEPER] = emulator_of(VM_KEEPER)
    return found


class Twice:
    """Looks at the node's emulators all the time; machines that had two are written down."""
    script = """rm -f /tmp/twice; touch /tmp/looking; looks=0
    while [ -e /tmp/looking ]; do
        pgrep -af guest=lodge- | grep -o 'guest=lodge-[0-9]*,' | sort | uniq -d >>/tmp/twice
        looks=$((looks + 1))
        sleep 0.05
    done
    echo $looks; cat /tmp/twice"""

    def __init__(self):
        self.seen = ''
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        self.seen = on_node('sh', '-c', self.script, check=False, timeout=1800).stdout  # as long as the rounds last

    def none(self):
        on_node('rm', '-f', '/tmp/looking')
        self.thread.join(30)
        lines = self.seen.split()
        return len(lines) == 1 and int(lines[0]) > 10


def status_of(guest):
    """Once it is known."""
    end = time.monotonic() + 20
    while True:
        status = ask(guest.path('/status/current'))['status']
        if status != 'unknown' or time.monotonic() > end:
            return status
        time.sleep(0.1)


def check(guests):
    ok('all jobs end', wait_for(60, lambda: not [t for t in ask(f'{N}/tasks?source=active&limit=500') if not t.get('status')]),
       ask(f'{N}/tasks?source=active&limit=500'))
    known = {t['upid']: t for t in ask(f'{N}/tasks?source=all&limit=5000')}
    lost = [u for u in upids if u not in known]
    ok('every acknowledged task is in the list', not lost, *lost)
    bad = []
    for upid in upids:
        s, log = ask(f'{N}/tasks/{upid}/status'), ask(f'{N}/tasks/{upid}/log?limit=500')
        if s['status'] != 'stopped' or not s.get('exitstatus') or not log:
            bad.append(f'{s} {log}')
    ok('each has an exit status and a log', not bad, *bad)
    bad = []
    for g in guests:
        status, config, text = call('GET', g.path('/config'))
        there = status == 200
        running = there and status_of(g) == 'running'
        really = g.process() is not None
        description = config.get('description', '').strip() or None if there else None
        if there not in g.there or running not in g.running or description not in g.text or running != really or \
           (there and 'lock' in config):
            bad.append(f'{g}; is: there {there}, running {running}, really {really}, {config if there else text}')
    ok('every acknowledged change is there', not bad, *bad)


def keepers():
    for vmid in KEEPERS:
        same(f'create {vmid}', task('POST', f'{N}/lxc', {'vmid': vmid, 'ostemplate': TEMPLATE, 'rootfs': 'local:0.1', 'memory': 32,
             'swap': 0, 'net0': 'name=eth0,bridge=vmbr0,ip=dhcp'}), 'OK')
        same(f'start {vmid}', task('POST', f'{N}/lxc/{vmid}/status/start', {}), 'OK')
    if WITH_VM:
        same('create a machine', task('POST', f'{N}/qemu', {'vmid': VM_KEEPER, 'memory': 16, 'kvm': 0}), 'OK')
        same('start it', task('POST', f'{N}/qemu/{VM_KEEPER}/status/start', {}), 'OK')


def clean_up():
    for row in ask('/cluster/resources?type=vm'):
        path = f'{N}/{row["type"]}/{row["vmid"]}'
        if ask(path + '/status/current')['status'] == 'running':
            same(f'stop {row["vmid"]}', task('POST', path + '/status/stop', {}), 'OK')
        same(f'destroy {row["vmid"]}', task('DELETE', path), 'OK')
    same('no guest is left', ask('/cluster/resources?type=vm'), [])


run(keepers, rounds, clean_up)
