# SPDX-License-Identifier: GPL-2.0-or-later
"""What the programs that kill jobs on volumes share: the operations (op_…), and what must hold of a guest whatever was
killed. sys.argv[1] is the template's volume id."""
import re
import threading

from lodge_test import *

TEMPLATE = sys.argv[1]
VMID, COPY = 240, 241
N = f'/nodes/{NODE}'
session, _ = login()
shell = subprocess.Popen([os.environ['LODGE_IN'], 'sh'], stdin=subprocess.PIPE, text=True)  # for what nobody waits for
asked = subprocess.Popen([os.environ['LODGE_IN'], 'sh'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
connection = None
kind = 'lxc'  # of the guests that the operation at hand works on: or qemu


def guest(vmid):
    return f'{N}/{kind}/{vmid}'


def ask(script):
    """The lines that it prints on the node; entering a node for each question takes longer than most answers."""
    asked.stdin.write(f'({script}\n) </dev/null 2>/dev/null; echo; echo =end=\n')
    asked.stdin.flush()
    lines = []
    for line in asked.stdout:
        if line == '=end=\n':
            return [x for x in lines if x]
        lines.append(line.rstrip('\n'))
    raise RuntimeError(f'{script}: the node is gone')


def once(verb, path, params):
    """One request on a connection that is kept."""
    global connection
    connection = connection or http.client.HTTPSConnection(HOST, PORT, timeout=20, context=context())
    headers, body = dict(session), None
    if params is not None and verb in ('POST', 'PUT'):
        body = urllib.parse.urlencode(params, doseq=True)
        headers['Content-Type'] = 'application/x-www-form-urlencoded'
    elif params is not None:
        path += '?' + urllib.parse.urlencode(params, doseq=True)
    try:
        connection.request(verb, ROOT + path, body=body, headers=headers)
        return Reply(connection.getresponse())
    except (OSError, http.client.HTTPException):
        connection.close()
        connection = None
        raise


def call(verb, path, params=None):
    """Until it is answered: the core may be coming back."""
    end = time.monotonic() + 40
    while True:
        try:
            r = once(verb, path, params)
            if r.json is not None and r.status not in (503, 504, 596):
                return r
        except (OSError, http.client.HTTPException) as e:
            r = e
        if time.monotonic() > end:
            raise RuntimeError(f'{verb} {path}: {r}')
        time.sleep(0.05)


def data(verb, path, params=None):
    r = call(verb, path, params)
    if r.status != 200:
        raise RuntimeError(f'{verb} {path}: {r}')
    return r.data


def ended(upid):
    def look():
        s = data('GET', f'{N}/tasks/{upid}/status')
        return s if s['status'] == 'stopped' else None
    s = wait_for(60, look, 0.02)
    return s['exitstatus'] if s else 'still running'


def settle():
    """No job runs any more, and none is still to come: undoing begins as soon as a job is known to be dead. A core that
    came back knows again what runs: a change of what may be running would wait for the next start."""
    def quiet():
        return not [t for t in data('GET', f'{N}/tasks', {'source': 'active'}) if t.get('status') in (None, 'running', '')] \
            and not [g for g in data('GET', f'{N}/{kind}') if g.get('status') not in ('running', 'stopped')]
    ok = wait_for(60, lambda: not ask('ls /var/lib/lodge/tasks | grep -E "^(new|undo)-"') and quiet(), 0.03)
    if not ok:
        say('# does not settle: ' + on_node('sh', '-c', 'ls /var/lib/lodge/tasks; ls /run/lodge/jobs'))


def config(vmid):
    r = call('GET', f'{guest(vmid)}/config')
    if r.status == 200:
        return r.data
    if 'does not exist' in str(r):
        return None
    raise RuntimeError(str(r))


def snapshots(vmid):
    return [s for s in data('GET', f'{guest(vmid)}/snapshot') if s['name'] != 'current']


def content():
    return [v for s in ('local', 'btr', 'img') for v in data('GET', f'{N}/storage/{s}/content')]


def volids(vmid):
    return {v['volid'] for v in content() if v.get('vmid') == vmid}


def named(c):
    """Volumes that a configuration names."""
    return {v.split(',')[0] for k, v in (c or {}).items()
            if k == 'rootfs' or re.fullmatch('(mp|scsi|unused)[0-9]+', k)}


def on_disk():
    """Every folder and image of both guests, snapshots too."""
    return set(ask('cd /srv/btr/images && ls -dA */* */.[!.]*'))


def residue():
    return ask('/lab/residue.sh')


def whole(vmid):
    """What is wrong with a guest, [] if nothing: volumes that nothing names, names without volumes, locks."""
    c = config(vmid)
    wrong = []
    if c is None:
        there = volids(vmid)
        return [f'volumes without a guest: {there}'] if there else []
    if 'lock' in c:
        wrong.append(f'locked: {c["lock"]}')
    wanted = named(c)
    for s in snapshots(vmid):
        if 'snapstate' in s:
            wrong.append(f'snapshot {s}')
        wanted |= named(data('GET', f'{guest(vmid)}/snapshot/{s["name"]}/config'))
    there = volids(vmid)
    if there != wanted:
        wrong.append(f'volumes {there}, named {wanted}')
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
    if result != 'OK' and not result.startswith('WARNINGS'):
        raise RuntimeError(f'{request}: {result}\n' + '\n'.join(x['t'] for x in data('GET', f'{N}/tasks/{upid}/log')))


def remove(*vmids):
    for vmid in vmids:
        if config(vmid) is not None:
            do(('DELETE', guest(vmid), {'force': 1} if kind == 'lxc' else None))


def begin(request):
    """The task's id, also of a call that waits for its task."""
    if not request[1].endswith('/template'):
        return data(*request)
    known = {t['upid'] for t in data('GET', f'{N}/tasks', {'limit': 20})}
    threading.Thread(target=lambda: wire(*request, session), daemon=True).start()
    return wait_for(10, lambda: [t['upid'] for t in data('GET', f'{N}/tasks', {'limit': 3, 'source': 'all'})
                                 if t['type'] == 'vztemplate' and t['upid'] not in known], 0.005)[0]


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


def op_config():
    """A new mount point."""
    do(create('local'))

    def back():
        c = config(VMID)
        if 'mp0' in c:
            data('PUT', f'{N}/lxc/{VMID}/config', {'delete': 'mp0'})
        for key in [k for k in config(VMID) if k.startswith('unused')]:
            data('PUT', f'{N}/lxc/{VMID}/config', {'delete': key})
    yield None, ('PUT', f'{N}/lxc/{VMID}/config', {'mp0': 'local:0.1,mp=/data'}), lambda: 'mp0' in config(VMID), back


def op_config_delete():
    """A volume that nothing uses any more."""
    do(create('local'))

    def prepare():
        if 'unused0' not in config(VMID):
            data('PUT', f'{N}/lxc/{VMID}/config', {'mp0': 'local:0.1,mp=/data'})
            data('PUT', f'{N}/lxc/{VMID}/config', {'delete': 'mp0'})
    yield (prepare, ('PUT', f'{N}/lxc/{VMID}/config', {'delete': 'unused0'}), lambda: 'unused0' not in config(VMID), lambda: None)


def use(new_kind):
    """What comes works on such guests. Of machines none runs, so that no libvirtd is needed."""
    global kind
    kind = new_kind


def create_machine(storage='local', **disks):
    return 'POST', f'{N}/qemu', {'vmid': VMID, 'memory': 32, 'kvm': 0, 'name': 'kill', 'scsi0': f'{storage}:0.1', **disks}


def op_qmcreate():
    use('qemu')
    yield None, create_machine(scsi1='img:0.1'), lambda: config(VMID) is not None, lambda: remove(VMID)


def op_qmconfig():
    """A new disk."""
    use('qemu')
    do(create_machine())

    def back():
        for key in ['scsi1'] + [k for k in config(VMID) if k.startswith('unused')]:
            if key in config(VMID):
                do(('POST', f'{guest(VMID)}/config', {'delete': key, 'force': 1}))
    yield None, ('POST', f'{guest(VMID)}/config', {'scsi1': 'local:0.1'}), lambda: 'scsi1' in config(VMID), back


def running_before(vmid):
    r = call('GET', f'{guest(vmid)}/status/current')
    return r.status == 200 and r.data['status']


def last_tasks():
    """What the last tasks said, for a failure."""
    text = [f'{VMID}: {config(VMID)}', f'{COPY}: {config(COPY)}', on_node('sh', '-c', 'ls /var/lib/lodge/tasks | grep -v "^.$"; :')]
    for t in data('GET', f'{N}/tasks', {'limit': 4}):
        text.append(f'{t["upid"]}: {t.get("status")}')
        text += ['    ' + x['t'] for x in data('GET', f'{N}/tasks/{t["upid"]}/log', {'limit': 20})]
    return '\n'.join(text)


OPERATIONS = {name: value for name, value in globals().items() if name.startswith('op_')}

