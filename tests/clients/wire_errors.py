#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input, seen on the wire: status, reason phrase, envelope, and that nothing changed.
Argument: volume id of a template."""
import re
import urllib.parse

from lodge_test import *

TEMPLATE = sys.argv[1]
px = connect()
session, _ = login()
N = f'/nodes/{NODE}'
GOOD = {'vmid': 300, 'ostemplate': TEMPLATE, 'rootfs': 'local:0.1'}
LXC = f'{N}/lxc'


def everything(count_tasks=True):
    """What must be the same after each refusal, as lines."""
    things = [*px.cluster.resources.get(type='vm'), *px.access.users.get(), *px.access.groups.get(), *px.access.acl.get(),
              *on_node('find', '/var/lib/lodge/local').splitlines()]
    if count_tasks:
        things.append(f'{len(px.nodes(NODE).tasks.get(limit=500))} tasks')
    return [str(t) for t in things]


def but_tasks():
    return everything(False)


def envelope():
    r = wire('GET', '/version', headers=session)
    ok('content type', r.headers['Content-Type'] == 'application/json;charset=UTF-8', r.headers)
    ok('the envelope of success', list(r.json) == ['data'], r)
    r = wire('GET', '/cluster/resources', headers={**session, 'Accept-Encoding': 'identity'})
    ok('numbers and booleans', all(type(v) in (int, float, str) for x in r.data for v in x.values()), r)
    r = wire('POST', LXC, {'vmid': 'x'}, session)
    ok('the envelope of an error', r.status == 400 and set(r.json) == {'data', 'errors', 'message'} and r.data is None and
       all(isinstance(v, str) for v in r.errors.values()) and r.json['message'].endswith('\n'), r)
    ok('it names every wrong field', {'vmid', 'ostemplate'} <= set(r.errors), r.errors)
    r = wire('GET', '/no/such/path', headers=session)
    ok('501 with its reason phrase', r.status == 501 and r.reason == "Method 'GET /no/such/path' not implemented", r)
    r = wire('POST', '/version', {}, session)
    ok('501 for a verb', r.status == 501 and r.reason == "Method 'POST /version' not implemented", r)
    r = wire('GET', f'{LXC}/4711/config', headers=session)
    ok('500 for what does not exist', r.status == 500 and r.reason.startswith("Configuration file 'nodes/") and
       r.reason.endswith("/lxc/4711.conf' does not exist"), r)
    r = wire('GET', '/nodes/nowhere/status', headers=session)
    ok('an unknown node', r.status in (500, 595, 596), r)
    for root in ('/api2/nope', '/api2/json/../../etc', '/api3/json'):
        r = wire('GET', '/version', headers=session, root=root)
        ok(f'{root}/version is no path', r.status in (400, 404, 501), r)


def parameters():
    headers = session
    wrong = "type check ('integer') failed - got '%s'"
    unknown = 'property is not defined in schema and the schema does not allow additional properties'
    missing = 'property is missing and it is not optional'
    cases = [
        ('POST', LXC, {**GOOD, 'memory': 'lots'}, {'memory': wrong % 'lots'}),
        ('POST', LXC, {**GOOD, 'memory': '1.5'}, {'memory': wrong % '1.5'}),
        ('POST', LXC, {**GOOD, 'memory': '99999999999999999999999'}, {'memory': ''}),
        ('POST', LXC, {**GOOD, 'memory': '1'}, {'memory': 'value must have a minimum value of 16'}),
        ('POST', LXC, {**GOOD, 'vmid': 1}, {'vmid': 'minimum'}),
        ('POST', LXC, {**GOOD, 'vmid': '0300'}, {'vmid': 'pve-vmid'}),
        ('GET', f'{LXC}/0100/config', {}, {'vmid': 'pve-vmid'}),  # no other path of the access lists
        ('POST', LXC, {**GOOD, 'colour': 'red'}, {'colour': unknown}),
        ('POST', LXC, {'vmid': 300}, {'ostemplate': missing}),
        ('POST', LXC, {**GOOD, 'unprivileged': 'maybe'}, {'unprivileged': "type check ('boolean') failed - got 'maybe'"}),
        ('POST', LXC, {**GOOD, 'net0': 'bridge=vmbr0'}, {'net0': ''}),
        ('POST', LXC, {**GOOD, 'net0': 'name=eth0,ip=999.1.1.1/24'}, {'net0': ''}),
        ('POST', LXC, {**GOOD, 'net0': 'name=eth0,colour=red'}, {'net0': ''}),
        ('POST', LXC, {**GOOD, 'hostname': 'two words'}, {'hostname': ''}),
        ('POST', LXC, {**GOOD, 'rootfs': 'local'}, {'rootfs': ''}),
        ('POST', LXC, {**GOOD, 'password': 'abc'}, {'password': ''}),
        ('POST', LXC, {**GOOD, 'ssh-public-keys': 'no key at all'}, {'ssh-public-keys': ''}),
        ('POST', LXC, {**GOOD, 'ostemplate': 'local:iso/x.iso'}, {'ostemplate': ''}),
        ('POST', LXC, {**GOOD, 'ostemplate': '../../etc/passwd'}, {'ostemplate': ''}),
        ('POST', LXC, {**GOOD, 'tags': 'a b\n; $(x)'}, {'tags': ''}),
        ('GET', f'{N}/tasks', {'limit': 'ten'}, {'limit': wrong % 'ten'}),
        ('GET', f'{N}/tasks', {'limit': '-1'}, {'limit': 'minimum'}),
        ('GET', '/cluster/resources', {'type': 'fish'}, {'type': ''}),
        ('GET', '/cluster/nextid', {'vmid': 'x'}, {'vmid': ''}),
        ('POST', '/access/users', {'userid': 'no-realm'}, {'userid': ''}),
        ('POST', '/access/users', {'userid': 'a:b@pve'}, {'userid': ''}),
        ('PUT', '/access/acl', {'path': '/', 'roles': 'PVEAdmin'}, {'users': 'required'}),
        ('POST', f'{N}/storage/local/content', {'vmid': 300, 'filename': '../x.raw', 'size': '1M'}, {'filename': ''}),
        ('POST', f'{N}/storage/local/content', {'vmid': 300, 'filename': 'vm-300-disk-0.raw', 'size': 'big'}, {'size': ''}),
    ]
    before = everything()
    for verb, path, params, expected in cases:
        r = wire(verb, path, params, headers)
        field = list(expected)[0]
        ok(f'{verb} {path.replace(N, "")} with {field}={params.get(field)!r}: 400', r.status == 400 and
           r.reason == 'Parameter verification failed.' and expected[field] in r.errors.get(field, '<none>'), r)
    unchanged('nothing has changed', everything, before)


def bodies():
    json_type = {**session, 'Content-Type': 'application/json'}
    form = {**session, 'Content-Type': 'application/x-www-form-urlencoded'}
    before = everything()
    cases = [
        ('JSON that is none', json_type, '{"groupid": ', 400), ('JSON that is no object', json_type, '[1]', 400),
        ('an object as value', json_type, '{"groupid": {"a": 1}}', 400),
        ('deep JSON', json_type, '{"groupid": ' + '[' * 5000 + ']' * 5000 + '}', 400),
        ('a NUL in a value', form, 'groupid=a%00b', 400), ('a broken escape', form, 'groupid=a%zz', 400),
        ('bad UTF-8', form, 'groupid=%ff%fe', 400), ('a huge body', form, 'groupid=a&comment=' + 'x' * 600000, 413),
        ('an unknown type of body', {**session, 'Content-Type': 'text/yaml'}, 'groupid: a', (400, 415, 501)),
    ]
    for text, headers, body, status in cases:
        r = wire('POST', '/access/groups', headers=headers, body=body)
        ok(f'{text}: a clear error', r.status in (status if isinstance(status, tuple) else (status,)) and r.json is not None and
           r.data is None and r.reason, r)
    unchanged('nothing has changed', everything, before)
    r = wire('POST', '/access/groups', headers=session, json_body={'groupid': 'jay', 'comment': 'ü'})
    same('JSON is taken', r.status, 200)
    same('as it was sent', px.access.groups('jay').get()['comment'], 'ü')
    same('DELETE with query', wire('DELETE', '/access/groups/jay', {'_dc': 1}, session).status, 200)
    r = wire('PUT', '/access/users/admin@pve', headers=session, json_body={'enable': True})
    ok('true in JSON', r.status == 200, r)


def rights():
    """A user who may only look at /vms/301."""
    px.access.users.post(userid='eve@pve', password='eves-word-1')
    px.access.acl.put(path='/vms/301', roles='PVEAuditor', users='eve@pve')
    eve, _ = login('eve@pve', 'eves-word-1')
    cases = [
        ('POST', LXC, GOOD, '/vms/300, VM.Allocate'),
        ('DELETE', f'{LXC}/301', None, '/vms/301, VM.Allocate'),
        ('POST', f'{LXC}/301/status/start', {}, '/vms/301, VM.PowerMgmt'),
        ('GET', f'{N}/status', None, f'/nodes/{NODE}, Sys.Audit'),
        ('POST', '/access/groups', {'groupid': 'g'}, '/access/groups, Group.Allocate'),
        ('POST', '/access/users', {'userid': 'x@pve'}, 'Realm.AllocateUser'),
        ('PUT', '/access/acl', {'path': '/', 'roles': 'Administrator', 'users': 'eve@pve'}, 'Permissions.Modify'),
        ('GET', f'{N}/storage/local/status', None, '/storage/local, '),
        ('PUT', '/access/password', {'userid': 'admin@pve', 'password': 'hers-now-1'}, ''),
    ]
    before = everything()
    for verb, path, params, text in cases:
        r = wire(verb, path, params, eve)
        ok(f'{verb} {path.replace(N, "")}: 403 {text}', r.status == 403 and r.reason.startswith('Permission check failed') and
           text in r.reason, r)
    unchanged('nothing has changed', everything, before)
    same('lists show her nothing', [g for g in connect('eve@pve', 'eves-word-1').cluster.resources.get() if g['type'] != 'node'], [])
    px.access.users('eve@pve').delete()


def bad_templates():
    """Errors that only the job can see: the task fails with a clear text and leaves nothing."""
    cache = '/var/lib/lodge/local/template/cache'
    on_node('sh', '-c', f'echo "this is no archive" >{cache}/bad.tar.gz; head -c 30000 {cache}/busybox.tar.gz >{cache}/cut.tar.gz; '
            f': >{cache}/empty.tar.gz')
    before = but_tasks()
    for name in ('bad', 'cut', 'empty'):
        upid = wire('POST', LXC, {**GOOD, 'ostemplate': f'local:vztmpl/{name}.tar.gz'}, session).data
        result = wait_task(px, upid)
        log = task_log(px, upid)
        ok(f'{name}.tar.gz: the task says why', result not in ('OK', 'still running') and log[-1] == f'TASK ERROR: {result}', result, *log)
        unchanged(f'{name}.tar.gz: nothing is left', but_tasks, before)
    r = wire('POST', LXC, {**GOOD, 'ostemplate': 'local:vztmpl/none.tar.gz'}, session)
    result = wait_task(px, r.data) if r.status == 200 else r.reason
    ok('a template that does not exist', result != 'OK' and 'none.tar.gz' in result, result)
    unchanged('nothing is left', but_tasks, before)
    on_node('sh', '-c', f'rm {cache}/bad.tar.gz {cache}/cut.tar.gz {cache}/empty.tar.gz')


MAKE_EVIL = '''
import io, sys, tarfile
cache = '/var/lib/lodge/local/template/cache/'
src = tarfile.open(cache + 'busybox.tar.gz')
out = tarfile.open(cache + 'evil.tar.gz', 'w:gz')
for m in src:
    if not (m.name.lstrip('./') + '/').startswith(('etc/', 'root/')):
        out.addfile(m, src.extractfile(m) if m.isreg() else None)
def link(name, to, kind=tarfile.SYMTYPE):
    m = tarfile.TarInfo(name); m.type = kind; m.linkname = to; out.addfile(m)
def file(name, data=b'owned'):
    m = tarfile.TarInfo(name); m.size = len(data); out.addfile(m, io.BytesIO(data))
if sys.argv[1] == 'folder links':
    link('./etc', '/etc')
    link('./root', '/root')
elif sys.argv[1] == 'a network link':
    link('./etc/network', '/etc/network')
elif sys.argv[1] == 'a home link':
    link('./root', '/root')
elif sys.argv[1] == 'file links':
    for name in ('shadow', 'passwd', 'hosts', 'hostname', 'resolv.conf', 'machine-id'):
        link('./etc/' + name, '../../../../../../../../../etc/' + name)
elif sys.argv[1] == 'through a link':
    link('./up', '../../../../../../..')
    file('./up/etc/owned')
elif sys.argv[1] == 'dots':
    file('./../../../../../../../tmp/owned')
elif sys.argv[1] == 'absolute':
    file('/tmp/owned')
elif sys.argv[1] == 'hard link':
    link('./etc/stolen', '/etc/shadow', tarfile.LNKTYPE)
out.close()
'''


def hostile_templates():
    """Links and names that lead out of the container's root: the host must stay as it is, whatever becomes of the create."""
    def host():
        return on_node('sh', '-c', 'ls -la --full-time /etc /root /etc/network /root/.ssh 2>/dev/null; '
                       'md5sum /etc/shadow /etc/passwd /etc/hosts /etc/hostname /etc/resolv.conf; ls /tmp/owned /etc/owned; :').splitlines()
    on_node('touch', '/etc/machine-id')
    before, lists = host(), but_tasks()
    for kind in ('folder links', 'file links', 'a network link', 'a home link', 'through a link', 'dots', 'absolute', 'hard link'):
        on_node('/usr/bin/python3', '-c', MAKE_EVIL, kind)
        upid = wire('POST', LXC, {**GOOD, 'ostemplate': 'local:vztmpl/evil.tar.gz', 'password': 'evil-word-1', 'hostname': 'evil',
                                  'ssh-public-keys': 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDl3 evil', 'nameserver': '10.6.6.6'},
                    session).data
        result = wait_task(px, upid)
        say(f'# a template with {kind}: {result}')
        unchanged(f'{kind}: the host is untouched', host, before)
        if result == 'OK' or result.startswith('WARNINGS: '):
            image = '/var/lib/lodge/local/images/300/vm-300-disk-0.raw'
            out = on_node('debugfs', '-R', 'cat /etc/stolen', image, check=False)
            ok(f'{kind}: nothing of the host is inside', 'root:' not in out.stdout, out.stdout)
            task_ok(f'{kind}: destroyed', px, px.nodes(NODE).lxc(300).delete())
        on_node('rm', '/var/lib/lodge/local/template/cache/evil.tar.gz')
        unchanged(f'{kind}: nothing is left', but_tasks, lists)


def full_disk():
    """A small file system where volumes lie."""
    images = '/var/lib/lodge/local/images'
    on_node('sh', '-c', f'mkdir -p {images} && truncate -s 2M /var/lib/lodge/small && mkfs.ext4 -q -m 0 /var/lib/lodge/small')
    # in the file system that all of the node's processes see
    on_node('mount', '-o', 'loop', '/var/lib/lodge/small', images)
    try:
        before = but_tasks()
        upid = wire('POST', LXC, {**GOOD, 'rootfs': 'local:0.1'}, session).data
        result = wait_task(px, upid)
        ok('a full disk is named', 'No space left' in result or 'space' in result, result, *task_log(px, upid))
        unchanged('nothing is left', but_tasks, before)
    finally:
        on_node('sh', '-c', f'umount {images} && rm /var/lib/lodge/small')


run(envelope, parameters, bodies, rights, bad_templates, hostile_templates, full_disk)
