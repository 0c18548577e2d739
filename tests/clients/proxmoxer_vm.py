#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The life of a virtual machine through proxmoxer, and each of its parameters wrong. Arguments: VMID, volume id of
a bootable ISO that reacts to its power button."""
import re

from lodge_test import *

VMID, ISO = int(sys.argv[1]), sys.argv[2]
OTHER = VMID + 1
px = connect()
node = px.nodes(NODE)
vm = node.qemu(VMID)
session, _ = login()
N = f'/nodes/{NODE}'
UPID = r'UPID:%s:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:%s:%s:admin@pve:'
HOSTILE = 'first <b>line</b>\n%0A "quoted" \\ {"a": 1}\n[PENDING]\nmemory: 1\n#: ü 日本 $(reboot) `id`'


def status():
    return vm.status.current.get()


def state():
    return status()['status']


def is_state(wanted, seconds=40):
    return wait_for(seconds, lambda: state() == wanted, 0.1)


def pending():
    return {p['key']: p for p in vm.pending.get()}


def types(text, row, expected):
    """Each named field is there, with exactly this type."""
    wrong = {k: row.get(k) for k, t in expected.items() if type(row.get(k)) is not t}
    ok(text, not wrong, wrong, row)


def create():
    upid = node.qemu.post(vmid=VMID, name='first-vm', memory=256, cores=2, sockets=1, kvm=0, ostype='l26', vga='serial0',
                          serial0='socket', scsi0='local:1,discard=on,ssd=1', ide2=f'{ISO},media=cdrom', agent='1',
                          net0='virtio,bridge=vmbr0', boot='order=ide2;scsi0', onboot=0, tags='test,Lab', description=HOSTILE)
    ok('a UPID', re.fullmatch(UPID % (NODE, 'qmcreate', VMID), upid), upid)
    task_ok('create', px, upid)
    config = vm.config.get()
    for key, value in {'name': 'first-vm', 'memory': 256, 'cores': 2, 'sockets': 1, 'kvm': 0, 'onboot': 0, 'ostype': 'l26',
                       'tags': 'lab;test', 'agent': '1', 'vga': 'serial0', 'serial0': 'socket', 'scsihw': 'virtio-scsi-pci',
                       'boot': 'order=ide2;scsi0', 'ide2': f'{ISO},media=cdrom'}.items():
        got = config.get(key)
        if key == 'memory': # a string or a number are both seen
            got = int(got)
        same(f'config {key}', got, value)
    ok('config description', config['description'].rstrip('\n') == HOSTILE, repr(config['description']))
    same('config scsi0', config['scsi0'], f'local:{VMID}/vm-{VMID}-disk-0.raw,discard=on,size=1G,ssd=1')
    ok('config net0', re.fullmatch(r'virtio=BC:24:11(:[0-9A-F]{2}){3},bridge=vmbr0', config['net0']), config['net0'])
    ok('config smbios1', re.fullmatch(r'uuid=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', config['smbios1']), config['smbios1'])
    ok('config digest', re.fullmatch(r'[0-9a-f]{40}', config['digest']), config['digest'])
    ok('no lock stays', 'lock' not in config, config)
    content = [v for v in node.storage.local.content.get(content='images') if v.get('vmid') == VMID]
    ok('its volume is listed', len(content) == 1 and content[0]['volid'] == f'local:{VMID}/vm-{VMID}-disk-0.raw' and
       content[0]['size'] == 1 << 30 and content[0]['format'] == 'raw', content)
    raises('an id exists once', 500, f'VM {VMID} already exists', lambda: node.qemu.post(vmid=VMID))
    raises('no container with that id', 500, 'already exists', lambda: node.lxc.post(vmid=VMID, ostemplate='local:vztmpl/busybox.tar.gz'))
    raises('nextid refuses a taken id', 400, f'{VMID} already exists', lambda: px.cluster.nextid.get(vmid=VMID))


def lists():
    row = [g for g in node.qemu.get() if int(g['vmid']) == VMID]
    if ok('it is in the list', len(row) == 1, row):
        types('types of the list', row[0], {'status': str, 'name': str, 'cpus': int, 'maxmem': int, 'maxdisk': int, 'uptime': int,
                                            'mem': int, 'netin': int, 'netout': int, 'diskread': int, 'diskwrite': int, 'tags': str})
        ok('values of the list', row[0]['status'] == 'stopped' and row[0]['name'] == 'first-vm' and row[0]['maxmem'] == 256 << 20 and
           row[0]['maxdisk'] == 1 << 30 and row[0]['cpus'] == 2 and row[0]['uptime'] == 0, row)
    same('full=1 is taken', len(node.qemu.get(full=1)), len(node.qemu.get()))
    row = [r for r in px.cluster.resources.get(type='vm') if r['vmid'] == VMID]
    if ok('/cluster/resources', len(row) == 1, row):
        types('types of /cluster/resources', row[0], {'id': str, 'type': str, 'node': str, 'vmid': int, 'status': str, 'template': int,
                                                      'maxmem': int, 'mem': int, 'maxdisk': int, 'disk': int, 'uptime': int, 'maxcpu': int,
                                                      'netin': int, 'netout': int, 'diskread': int, 'diskwrite': int})
        ok('values of /cluster/resources', row[0]['id'] == f'qemu/{VMID}' and row[0]['type'] == 'qemu' and row[0]['template'] == 0 and
           row[0]['maxcpu'] == 2, row)
    names = {x.get('subdir') or x.get('name') for x in vm.status.get()}
    ok('index of status', {'current', 'start', 'stop', 'shutdown', 'reset', 'reboot'} <= names, names)


def config():
    before = vm.config.get()
    same('PUT config answers null', vm.config.put(description='new', digest=before['digest']), None)
    after = vm.config.get()
    ok('the change is there, the digest another', after['description'].strip() == 'new' and after['digest'] != before['digest'], after)
    raises('an old digest is refused', 500, 'detected modified configuration', lambda: vm.config.put(cores=1, digest=before['digest']))
    raises('by a task as well', 500, 'detected modified configuration', lambda: vm.config.post(cores=1, digest=before['digest']))
    same('nothing was changed', vm.config.get(), after)
    upid = vm.config.post(name='renamed')
    ok('POST config answers a UPID', re.fullmatch(UPID % (NODE, 'qmconfig', VMID), upid), upid)
    task_ok('config by a task', px, upid)
    same('the change is there', vm.config.get()['name'], 'renamed')
    vm.config.put(delete='description,tags')
    ok('delete', not {'description', 'tags'} & set(vm.config.get()))
    raises('what is not there', 400, '', lambda: vm.config.put(delete='colour'))
    mac = vm.config.get()['net0']
    vm.config.put(net0='virtio,bridge=vmbr0')
    same('a card keeps its address', vm.config.get()['net0'], mac)


def disks():
    name = f'local:{VMID}/vm-{VMID}-disk-1.qcow2'
    before = vm.config.get()
    same('a new disk by PUT answers null', vm.config.put(scsi1='local:0.125,format=qcow2,ssd=1', digest=before['digest']), None)
    same('it is in the config', vm.config.get().get('scsi1'), f'{name},size=128M,ssd=1')
    content = {v['volid']: v for v in node.storage.local.content.get(content='images') if v.get('vmid') == VMID}
    ok('it is made', name in content and content[name]['format'] == 'qcow2' and content[name]['size'] == 128 << 20, content)
    ok('qemu-img knows it', '"format": "qcow2"' in on_node('qemu-img', 'info', '--output=json',
       f'/var/lib/lodge/local/images/{VMID}/vm-{VMID}-disk-1.qcow2'))
    ok('no unused entry stays', not [k for k in vm.config.get() if k.startswith('unused')], vm.config.get())
    task_ok('a new disk by a task', px, vm.config.post(virtio0='local:0.01'))
    same('it is in the config', vm.config.get().get('virtio0'), f'local:{VMID}/vm-{VMID}-disk-2.raw,size=10M')
    raises('too large a disk', 500, '', lambda: vm.config.put(scsi2='local:131072'))
    ok('nothing is left of it', 'scsi2' not in vm.config.get() and not [k for k in vm.config.get() if k.startswith('unused')], vm.config.get())
    vm.config.put(delete='scsi1')
    config = vm.config.get()
    ok('a deleted disk is kept as unused', config.get('unused0') == name and 'scsi1' not in config, config)
    raises('nobody sets an unused one', 400, 'set by the node alone', lambda: vm.config.put(unused1=name))
    vm.config.put(scsi2=name)
    config = vm.config.get()
    ok('it becomes a drive again, with its size', config.get('scsi2') == name and 'unused0' not in config, config)
    same('unlink answers null', vm.unlink.put(idlist='scsi2'), None)
    same('it is unused again', vm.config.get().get('unused0'), name)
    same('unlink of an unused one', vm.unlink.put(idlist='unused0'), None)
    volumes = [v['volid'] for v in node.storage.local.content.get(content='images') if v.get('vmid') == VMID]
    ok('frees it', name not in volumes and 'unused0' not in vm.config.get(), volumes)
    same('unlink by force', vm.unlink.put(idlist='virtio0', force=1), None)
    volumes = [v['volid'] for v in node.storage.local.content.get(content='images') if v.get('vmid') == VMID]
    ok('frees it at once', len(volumes) == 1 and not [k for k in vm.config.get() if k.startswith('unused')], volumes, vm.config.get())
    raises('unlink of what is no disk', 400, "'net0' is no disk", lambda: vm.unlink.put(idlist='net0'))
    vm.config.put(scsi1='local:0.01,format=qcow2')
    vm.config.put(delete='scsi1')


def start():
    upid = vm.status.start.post()
    ok('a UPID', re.fullmatch(UPID % (NODE, 'qmstart', VMID), upid), upid)
    task_ok('start', px, upid)
    ok('it runs', is_state('running'))
    current = status()
    types('types of status/current', current, {'vmid': int, 'name': str, 'status': str, 'qmpstatus': str, 'cpus': int, 'maxmem': int,
                                               'mem': int, 'maxdisk': int, 'disk': int, 'uptime': int, 'pid': int, 'ha': dict, 'netin': int,
                                               'netout': int, 'diskread': int, 'diskwrite': int})
    ok('values of status/current', current['vmid'] == VMID and current['name'] == 'renamed' and current['maxmem'] == 256 << 20 and
       current['qmpstatus'] == 'running' and current['cpus'] == 2 and current['ha'] == {'managed': 0} and 'lock' not in current, current)
    pid = on_node('pgrep', '-f', f'guest=lodge-{VMID},').split()
    same('one emulator, and it is the pid', [str(current['pid'])], pid)
    ok('memory and processor in use are known', wait_for(15, lambda: status()['mem'] > 0 and isinstance(status()['cpu'], (int, float))), status())
    ok('uptime counts', wait_for(15, lambda: status()['uptime'] > 0), status())
    raises('no second start', 500, f'VM {VMID} already running', vm.status.start.post)
    raises('no destroy while it runs', 500, 'is running', vm.delete)
    row = [r for r in px.cluster.resources.get(type='vm') if r['vmid'] == VMID]
    ok('/cluster/resources', row and row[0]['status'] == 'running' and row[0]['mem'] > 0, row)


def pending_change():
    same('PUT on a running one answers null', vm.config.put(memory=320, tags='later'), None)
    p = pending()
    ok('/pending shows both values', int(p['memory'].get('value')) == 256 and int(p['memory'].get('pending')) == 320, p['memory'])
    same('what can change at once did', (p['tags'].get('value'), 'pending' in p['tags']), ('later', False))
    same('config without current shows the new one', int(vm.config.get()['memory']), 320)
    same('config with current the old one', int(vm.config.get(current=1)['memory']), 256)
    vm.config.put(delete='cores')
    same('/pending shows a deletion', pending()['cores'].get('delete'), 1)
    vm.config.put(revert='cores')
    ok('revert', 'delete' not in pending()['cores'], pending()['cores'])
    same('the running one is untouched', status()['maxmem'], 256 << 20)


def power():
    on_node('python3', '/lab/vm_console.py', f'/run/lodge/vm/{VMID}.serial0', '60', '^lodge-iso ready')
    pid = status()['pid']
    task_ok('reset', px, vm.status.reset.post())
    same('it is the same process', status()['pid'], pid)
    on_node('python3', '/lab/vm_console.py', f'/run/lodge/vm/{VMID}.serial0', '60', '^lodge-iso ready')
    task_ok('reboot', px, vm.status.reboot.post(timeout=40), 90)
    ok('it is another process', is_state('running') and status()['pid'] != pid, status())
    same('the waiting change is used', status()['maxmem'], 320 << 20)
    ok('nothing is pending', not any('pending' in p for p in vm.pending.get()), vm.pending.get())
    on_node('python3', '/lab/vm_console.py', f'/run/lodge/vm/{VMID}.serial0', '60', '^lodge-iso ready')
    task_ok('shutdown', px, vm.status.shutdown.post(timeout=40), 60)
    ok('it is stopped', is_state('stopped'))
    ok('its figures are gone', status()['mem'] == 0 and status()['uptime'] == 0 and 'pid' not in status(), status())
    raises('no stop of a stopped one', 500, f'VM {VMID} not running', vm.status.stop.post)
    raises('no reset of a stopped one', 500, f'VM {VMID} not running', vm.status.reset.post)
    task_ok('start', px, vm.status.start.post())
    result = wait_task(px, vm.status.shutdown.post(timeout=1, forceStop=1), 60)
    same('a shutdown by force', result, 'OK')
    ok('it is stopped', is_state('stopped'))
    task_ok('start', px, vm.status.start.post())
    upid = vm.status.stop.post()
    task_ok('stop', px, upid)
    ok('it is stopped', is_state('stopped'))
    same('its log ends well', task_log(px, upid)[-1], 'TASK OK')
    seen = {t['type'] for t in node.tasks.get(vmid=VMID, limit=100)}
    ok('all tasks are kept', {'qmcreate', 'qmstart', 'qmshutdown', 'qmreboot', 'qmreset', 'qmstop', 'qmconfig'} <= seen, seen)


def everything():
    """What must be the same after each refusal, as lines."""
    return [str(t) for t in [*px.cluster.resources.get(type='vm'), vm.config.get(), vm.pending.get(),
                             *on_node('find', '/var/lib/lodge/local', '/run/lodge/guests').splitlines(),
                             f'{len(node.tasks.get(limit=500))} tasks']]


def wrong_parameters():
    """Each parameter of each route, by type, bound and format: the error names it, and nothing changes."""
    integer, boolean = "type check ('integer') failed - got '%s'", "type check ('boolean') failed - got '%s'"
    unknown = 'property is not defined in schema and the schema does not allow additional properties'
    keys = {
        'name': ['two words', 'under_score', '-a', 'a' * 300, '../x', 'a\nb'],
        'memory': ['much', '1.5', '-1', '15', '99999999999999999999999', '256,colour=red'],
        'cores': ['x', '0', '513', '1.0', ''' 1'''], 'sockets': ['x', '0', '17'],
        'kvm': ['maybe', '2'], 'acpi': ['maybe'], 'tablet': ['maybe'], 'onboot': ['maybe'],
        'numa': ['1', 'maybe'], 'balloon': ['x', '64'], 'protection': ['maybe'],
        'agent': ['maybe', '1,type=isa', '1,colour=red'],
        'bios': ['ovmf', 'x'], 'machine': ['vax', 'pc-q35-', 'q35;rm'], 'ostype': ['vms', ''' l26'''], 'scsihw': ['ncr', 'virtio'],
        'cpu': ['z80', 'host,flags=aes', 'host,flags=+aes;$(x)'], 'vga': ['cga', 'std,memory=1', 'std,memory=x', 'serial1'],
        'boot': ['order=scsi0;', 'order=SCSI0', 'xyz', 'order=scsi0,order=ide2'],
        'scsi0': ['local', 'local:x', 'local:0', 'local:999999', 'local:-1', '../../etc/passwd', '/dev/sda', 'local:1,cache=warm',
                  'local:1,discard=1', 'local:1,ssd=maybe', 'local:1,colour=red', f'local:{OTHER + 1}/vm-{OTHER + 1}-disk-0.raw', 'none-such:1/x.raw',
                  f'local:{VMID}/../x.raw', 'local:1,media=cdrom', 'local:1,serial=a b', 'local:1,iothread=x', f'{ISO}'],
        'virtio0': ['local:1,ssd=1', f'{ISO},media=cdrom'], 'sata0': ['local:1,iothread=1'],
        'ide2': ['cdrom', 'local:vztmpl/x.tar.gz,media=cdrom', 'local:iso/../x.iso,media=cdrom'],
        'net0': ['virtio', 'ne2k,bridge=vmbr0', 'virtio,bridge=../x', 'virtio=12:34,bridge=vmbr0', 'virtio=01:00:5E:00:00:01,bridge=vmbr0',
                 'virtio,bridge=vmbr0,mtu=9', 'virtio,bridge=vmbr0,queues=99', 'bridge=vmbr0,colour=red'],
        'serial0': ['/dev/ttyS0', 'pipe'], 'smbios1': ['uuid=1', 'colour=red', 'serial=a,b'],
        'startup': ['order=x', 'never'], 'tags': ['a!b', 'x;$(y)', ';-'], 'lock': ['mine'],
        'unused0': ['local:1', f'local:{VMID}/vm-{VMID}-disk-0.raw'], 'scsi31': ['local:1'], 'ide4': ['local:1'], 'net32': ['virtio,bridge=vmbr0'], 'serial4': ['socket'],
        'description': ['x' * 9000], 'colour': ['red'], 'args': ['-monitor stdio'], 'hookscript': ['local:snippets/x'],
    }
    cases = [(verb, path, {**given, key: value}, key) for verb, path, given in
             [('POST', f'{N}/qemu', {'vmid': OTHER}), ('PUT', f'{N}/qemu/{VMID}/config', {}), ('POST', f'{N}/qemu/{VMID}/config', {})]
             for key, values in keys.items() for value in values]
    current = f'{N}/qemu/{VMID}/status'
    texts = {
        ('POST', f'{N}/qemu', 'vmid'): [('x', integer % 'x'), ('99', 'minimum value of 100'), ('1000000000', 'maximum value'), ('', '')],
        ('POST', f'{N}/qemu', 'start'): [('maybe', boolean % 'maybe')],
        ('POST', f'{current}/start', 'timeout'): [('x', integer % 'x'), ('0', 'minimum'), ('99999999', 'maximum')],
        ('POST', f'{current}/start', 'skiplock'): [('maybe', boolean % 'maybe')],
        ('POST', f'{current}/start', 'colour'): [('red', unknown)],
        ('POST', f'{current}/stop', 'overrule-shutdown'): [('maybe', boolean % 'maybe')],
        ('POST', f'{current}/stop', 'timeout'): [('x', integer % 'x'), ('-1', 'minimum')],
        ('POST', f'{current}/stop', 'colour'): [('red', unknown)],
        ('POST', f'{current}/reset', 'skiplock'): [('maybe', boolean % 'maybe')],
        ('POST', f'{current}/reset', 'colour'): [('red', unknown)],
        ('POST', f'{current}/shutdown', 'timeout'): [('x', integer % 'x'), ('-1', 'minimum'), ('99999999', 'maximum')],
        ('POST', f'{current}/shutdown', 'forceStop'): [('maybe', boolean % 'maybe')],
        ('POST', f'{current}/reboot', 'timeout'): [('x', integer % 'x'), ('-1', 'minimum'), ('99999999', 'maximum')],
        ('GET', f'{current}/current', 'colour'): [('red', unknown)],
        ('GET', f'{N}/qemu', 'full'): [('maybe', boolean % 'maybe')],
        ('GET', f'{N}/qemu/{VMID}/config', 'current'): [('maybe', boolean % 'maybe')],
        ('GET', f'{N}/qemu/{VMID}/config', 'snapshot'): [('a b', '')],
        ('GET', f'{N}/qemu/{VMID}/pending', 'colour'): [('red', unknown)],
        ('PUT', f'{N}/qemu/{VMID}/config', 'delete'): [('a b$', '')],
        ('PUT', f'{N}/qemu/{VMID}/config', 'revert'): [('a b$', '')],
        ('PUT', f'{N}/qemu/{VMID}/config', 'digest'): [('x' * 41, '')],
        ('PUT', f'{N}/qemu/{VMID}/config', 'force'): [('maybe', boolean % 'maybe')],
        ('PUT', f'{N}/qemu/{VMID}/config', 'skiplock'): [('maybe', boolean % 'maybe')],
        ('PUT', f'{N}/qemu/{VMID}/config', 'background_delay'): [('5', unknown)],
        ('POST', f'{N}/qemu/{VMID}/config', 'background_delay'): [('x', integer % 'x'), ('0', 'minimum'), ('31', 'maximum')],
        ('PUT', f'{N}/qemu/{VMID}/unlink', 'idlist'): [('', ''), ('a b$', ''), ('memory', 'is no disk'), ('scsi0,ide9', 'is no disk')],
        ('PUT', f'{N}/qemu/{VMID}/unlink', 'colour'): [('red', unknown)],
        ('DELETE', f'{N}/qemu/{VMID}', 'purge'): [('maybe', boolean % 'maybe')],
        ('DELETE', f'{N}/qemu/{VMID}', 'skiplock'): [('maybe', boolean % 'maybe')],
        ('DELETE', f'{N}/qemu/{VMID}', 'destroy-unreferenced-disks'): [('maybe', boolean % 'maybe')],
        ('DELETE', f'{N}/qemu/{VMID}', 'colour'): [('red', unknown)],
    }
    before = everything()
    for verb, path, params, field in cases:
        refused(verb, path, params, field, '')
    for (verb, path, field), values in texts.items():
        for value, text in values:
            refused(verb, path, {field: value}, field, text)
    for path in (f'{N}/qemu/x/config', f'{N}/qemu/99/config', f'{N}/qemu/1000000000/status/current'):
        refused('GET', path, None, 'vmid', '')
    r = wire('GET', f'{N}/qemu/4711/config', headers=session)
    ok('500 for what does not exist', r.status == 500 and r.reason.endswith("/qemu/4711.conf' does not exist"), r)
    r = wire('POST', f'{N}/qemu', {'vmid': OTHER, 'scsi0': 'none-such:1'}, session)
    ok('an unknown storage', r.status == 500 and "'none-such' does not exist" in r.reason, r)
    unchanged('nothing has changed', everything, before)


def refused(verb, path, params, field, text):
    if verb == 'DELETE':
        r = wire(verb, path + '?' + urllib.parse.urlencode(params), None, session)
    else:
        r = wire(verb, path, params, session)
    shown = str((params or {}).get(field))[:40]
    ok(f'{verb} {path.replace(N, "")} with {field}={shown!r}: 400', r.status == 400 and
       r.reason == 'Parameter verification failed.' and text in r.errors.get(field, '<none>'), r)


def rights():
    """A user who may only look, and one who may change media."""
    px.access.users.post(userid='eve@pve', password='eves-word-1')
    px.access.acl.put(path=f'/vms/{VMID}', roles='PVEAuditor', users='eve@pve')
    eve, _ = login('eve@pve', 'eves-word-1')
    at = f'{N}/qemu/{VMID}'
    cases = [
        ('POST', f'{N}/qemu', {'vmid': OTHER}, f'/vms/{OTHER}, VM.Allocate'), ('DELETE', at, None, f'/vms/{VMID}, VM.Allocate'),
        *(('POST', f'{at}/status/{verb}', {}, f'/vms/{VMID}, VM.PowerMgmt') for verb in ('start', 'stop', 'shutdown', 'reset', 'reboot')),
        ('PUT', f'{at}/unlink', {'idlist': 'scsi0'}, f'/vms/{VMID}, VM.Config.Disk'), ('PUT', f'{at}/config', {'memory': 64}, f'/vms/{VMID}, '), ('POST', f'{at}/config', {'memory': 64}, f'/vms/{VMID}, '),
    ]
    before = everything()
    for verb, path, params, text in cases:
        r = wire(verb, path, params, eve)
        ok(f'{verb} {path.replace(N, "")}: 403 {text}', r.status == 403 and r.reason.startswith('Permission check failed') and
           text in r.reason, r)
    same('she may look', wire('GET', f'{at}/status/current', None, eve).status, 200)
    unchanged('nothing has changed', everything, before)
    px.access.acl.put(path=f'/vms/{VMID}', roles='PVEVMUser', users='eve@pve')
    for params in {'ide3': 'none,media=cdrom'}, {'delete': 'ide3'}:
        r = wire('PUT', f'{at}/config', params, eve)
        ok(f'a user of the machine: PUT config {params}', r.status == 200, r)
    for params, right in (({'scsi0': 'none,media=cdrom'}, 'Disk'), ({'delete': 'scsi0'}, 'Disk'), ({'memory': 64}, 'Memory')):
        r = wire('PUT', f'{at}/config', params, eve)
        ok(f'and not {params}', r.status == 403 and f'VM.Config.{right}' in r.reason, r)
    unchanged('nothing has changed', everything, before)
    px.access.users('eve@pve').delete()


def destroy():
    upid = vm.delete(purge=1)
    task_ok('destroy', px, upid)
    raises('its config is gone', 500, 'does not exist', vm.config.get)
    ok('it is in no list', not [g for g in px.cluster.resources.get(type='vm') if g['vmid'] == VMID] and
       not [g for g in node.qemu.get() if int(g['vmid']) == VMID])
    ok('its volume is gone', not [v for v in node.storage.local.content.get() if v.get('vmid') == VMID])


run(create, lists, config, disks, start, pending_change, power, wrong_parameters, rights, destroy)
