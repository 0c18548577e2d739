#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Snapshots, copies, templates, growing and moving through proxmoxer. Arguments: the template's volume id; the storage
local is a folder, btr lies on btrfs. Containers 200 to 239 are used and removed again."""
import re

from lodge_test import *

TEMPLATE = sys.argv[1]
px = connect()
node = px.nodes(NODE)
UPID = r'UPID:%s:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:%s:%s:admin@pve:'


def create(vmid, storage, **more):
    upid = node.lxc.post(vmid=vmid, ostemplate=TEMPLATE, hostname=f'life{vmid}', memory=64, swap=0,
                         rootfs=f'{storage}:0.1', net0='name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:%02X' % (vmid % 256), **more)
    return task_ok(f'create {vmid} on {storage}', px, upid)


def destroy(*vmids):
    for vmid in vmids:
        task_ok(f'destroy {vmid}', px, node.lxc(vmid).delete(force=1))


def task_fails(text, upid, contains):
    result = wait_task(px, upid)
    return ok(text, contains in str(result), result, *task_log(px, upid))


def start(vmid):
    task_ok(f'start {vmid}', px, node.lxc(vmid).status.start.post())
    # its init sets the system up in the background
    wait_for(20, lambda: inside(vmid, '/bin/true', check=False).returncode == 0)


def stop(vmid):
    task_ok(f'stop {vmid}', px, node.lxc(vmid).status.stop.post())


def write(vmid, path, text):
    inside(vmid, '/bin/sh', '-c', f'echo {text} >{path}')


def read(vmid, path):
    p = inside(vmid, '/bin/cat', path, check=False)
    return p.stdout.strip() if p.returncode == 0 else None


def volume(config, key='rootfs'):
    return config[key].split(',')[0]


def volids(vmid):
    return {v['volid'] for s in ('local', 'btr') for v in node.storage(s).content.get(vmid=vmid)}


def names(vmid):
    return [s['name'] for s in node.lxc(vmid).snapshot.get()]


def snapshots():
    ct = node.lxc(200)
    create(200, 'btr', mp0='btr:0.1,mp=/data')
    same('feature snapshot', ct.feature.get(feature='snapshot')['hasFeature'], 1)
    rows = ct.snapshot.get()
    ok('without any, the current state alone', len(rows) == 1 and rows[0]['name'] == 'current' and rows[0]['running'] == 0 and
       rows[0]['description'] == 'You are here!' and 'parent' not in rows[0] and re.fullmatch('[0-9a-f]{40}', rows[0]['digest']), rows)
    start(200)
    write(200, '/root/word', 'one')
    write(200, '/data/word', 'eins')
    upid = ct.snapshot.post(snapname='first', description='line one\nzwei: ü')
    ok('a UPID', re.fullmatch(UPID % (NODE, 'vzsnapshot', 200), upid), upid)
    task_ok('snapshot of a running container', px, upid)
    same('it goes on running', ct.status.current.get()['status'], 'running')
    same('and answers', read(200, '/root/word'), 'one')
    write(200, '/root/word', 'two')
    write(200, '/data/word', 'zwei')
    task_ok('a second one', px, ct.snapshot.post(snapname='second'))
    rows = ct.snapshot.get()
    same('in order, the current state last', [r['name'] for r in rows], ['first', 'second', 'current'])
    ok('with their parents', 'parent' not in rows[0] and rows[1]['parent'] == 'first' and rows[2]['parent'] == 'second', rows)
    ok('time and description', abs(rows[0]['snaptime'] - time.time()) < 100 and rows[0]['description'].strip() == 'line one\nzwei: ü', rows)
    same('its index', [x['cmd'] for x in ct.snapshot('first').get()], ['config', 'rollback'])
    config = ct.snapshot('first').config.get()
    ok('its configuration', config['hostname'] == 'life200' and config['snaptime'] == rows[0]['snaptime'] and
       config['mp0'].startswith('btr:200/') and 'lock' not in config, config)
    same('the same by config', ct.config.get(snapshot='first'), config)
    same('described anew', ct.snapshot('first').config.put(description='other'), None)
    same('it stays so', ct.snapshot.get()[0]['description'].strip(), 'other')
    task_ok('a change to be lost', px, ct.status.stop.post())
    ct.config.put(memory=80, tags='late')
    task_ok('rollback', px, ct.snapshot('first').rollback.post(start=1))
    same('it was started', ct.status.current.get()['status'], 'running')
    same('the root is as it was', read(200, '/root/word'), 'one')
    same('the mount point is as it was', read(200, '/data/word'), 'eins')
    config = ct.config.get()
    ok('the configuration is as it was', config['memory'] == 64 and 'tags' not in config and config['parent'] == 'first' and
       'lock' not in config, config)
    task_ok('rollback of a running container stops it', px, ct.snapshot('second').rollback.post())
    same('it does not run', ct.status.current.get()['status'], 'stopped')
    raises('a name once', 500, "already used", lambda: ct.snapshot.post(snapname='first'))
    for bad, text in (('current', 'current'), ('pending', 'cannot be'), ('1st', ''), ('a', ''), ('x' * 41, ''), ('a/b', ''), ('a b', '')):
        raises(f'no name: {bad[:10]!r}', 400, text, lambda: ct.snapshot.post(snapname=bad))
    raises('none of that name', 500, "snapshot 'third' does not exist", lambda: ct.snapshot('third').rollback.post())
    raises('nothing to delete', 500, "snapshot 'third' does not exist", lambda: ct.snapshot('third').delete())
    raises('nothing to show', 500, "snapshot 'third' does not exist", lambda: ct.config.get(snapshot='third'))
    task_ok('delete the first', px, ct.snapshot('first').delete())
    rows = ct.snapshot.get()
    ok('the second has no parent any more', [r['name'] for r in rows] == ['second', 'current'] and 'parent' not in rows[0], rows)
    destroy(200)
    same('no volume is left', volids(200), set())


def snapshots_refused():
    create(201, 'local')
    ct = node.lxc(201)
    feature = ct.feature.get(feature='snapshot')
    ok('a folder has none', feature['hasFeature'] == 0 and feature['reason'].startswith('feature not available: snapshot'), feature)
    raises('the operation says the same', 500, feature['reason'][:60], lambda: ct.snapshot.post(snapname='first'))
    same('nothing was begun', 'lock' in ct.config.get() or len(names(201)) > 1, False)
    destroy(201)


def clones():
    create(210, 'btr', mp0='btr:0.1,mp=/data', tags='source')
    ct = node.lxc(210)
    start(210)
    write(210, '/root/word', 'source')
    write(210, '/etc/machine-id', '0123456789abcdef0123456789abcdef')
    task_ok('its snapshot', px, ct.snapshot.post(snapname='snap'))
    raises('a running one cannot be copied as it is', 500, 'feature not available', lambda: ct.clone.post(newid=211, full=1))
    upid = ct.clone.post(newid=211, hostname='copy', description='a copy', snapname='snap', full=1, storage='btr')
    ok('a UPID of the source', re.fullmatch(UPID % (NODE, 'vzclone', 210), upid), upid)
    task_ok('full clone of a snapshot, the source runs', px, upid)
    source, copy = ct.config.get(), node.lxc(211).config.get()
    ok('the copy is of its own', copy['hostname'] == 'copy' and copy['description'].strip() == 'a copy' and 'lock' not in copy and
       'parent' not in copy and 'snaptime' not in copy and copy['tags'] == 'source' and copy['memory'] == 64, copy)
    ok('another address', re.search('hwaddr=BC:24:11', copy['net0']) and copy['net0'] != source['net0'] and 'bridge=vmbr0' in copy['net0'], copy)
    ok('volumes of its own', volume(copy) in volids(211) and volume(copy, 'mp0') in volids(211) and copy['mp0'].endswith('size=100M') or
       'mp=/data' in copy['mp0'], copy, volids(211))
    ok('no snapshots of the source', names(211) == ['current'], names(211))
    ok('the source is as before', 'lock' not in source, source)
    start(211)
    same('what was written is there', read(211, '/root/word'), 'source')
    same('the name inside', inside(211, '/bin/hostname'), 'copy')
    same('no machine id of the source', read(211, '/etc/machine-id'), '')
    stop(211)
    upid = ct.clone.post(newid=212, full=0)
    task_ok('linked clone of a running container on btrfs', px, upid)
    ok('linked', any('linking' in line for line in task_log(px, upid)), *task_log(px, upid))
    same('a name by default', node.lxc(212).config.get()['hostname'], 'Copy-of-life210')
    ok('the source still runs', wait_for(5, lambda: ct.status.current.get()['status'] == 'running'), ct.status.current.get())
    same('and answers', read(210, '/root/word'), 'source')
    stop(210)
    task_ok('full clone to another storage is refused for trees', px, ct.clone.post(newid=213, full=1, storage='btr'))
    raises('an id in use', 500, 'already exists', lambda: ct.clone.post(newid=211))
    raises('another node', 400, 'target', lambda: ct.clone.post(newid=219, target='elsewhere'))
    raises('no such snapshot', 500, "snapshot 'none' does not exist", lambda: ct.clone.post(newid=219, snapname='none'))
    raises('no such storage', 500, "storage 'none' does not exist", lambda: ct.clone.post(newid=219, storage='none'))
    raises('a pool', 400, 'pool', lambda: ct.clone.post(newid=219, pool='none'))
    raises('a link to elsewhere', 400, 'storage', lambda: ct.clone.post(newid=219, full=0, storage='local'))
    raises('no new id', 400, 'newid', lambda: ct.clone.post())
    ok('nothing was begun', not any(int(g['vmid']) == 219 for g in node.lxc.get()))
    upid = ct.clone.post(newid=214, full=1, storage='local')
    task_fails('a tree does not become an image', upid, 'feature not available')
    ok('nothing is left of it', not any(int(g['vmid']) == 214 for g in node.lxc.get()) and not volids(214) and 'lock' not in ct.config.get())
    destroy(212, 213, 211)
    destroy(210)
    create(215, 'local')
    task_ok('full clone of an image', px, node.lxc(215).clone.post(newid=216, hostname='image', bwlimit=1000000))
    start(216)
    same('it runs', inside(216, '/bin/hostname'), 'image')
    raises('no links there', 500, 'feature not available: clone', lambda: node.lxc(215).clone.post(newid=217, full=0))
    destroy(215, 216)


def templates():
    create(220, 'btr')
    create(221, 'local')
    start(220)
    raises('not while it runs', 500, 'running', lambda: node.lxc(220).template.post())
    stop(220)
    for vmid in (220, 221):
        same(f'template {vmid}', node.lxc(vmid).template.post(), None)
        config = node.lxc(vmid).config.get()
        ok('it is one', config['template'] == 1 and '/base' in config['rootfs'] and 'lock' not in config, config)
        raises('it cannot start', 500, 'template', lambda: node.lxc(vmid).status.start.post())
        raises('it is one already', 500, 'already', lambda: node.lxc(vmid).template.post())
        raises('it does not grow', 500, 'feature not available', lambda: node.lxc(vmid).resize.put(disk='rootfs', size='+1G'))
        raises('it has no snapshots', 500, 'feature not available', lambda: node.lxc(vmid).snapshot.post(snapname='no'))
    ups = [node.lxc(220).clone.post(newid=v, hostname=f'c{v}') for v in range(222, 228)]
    for upid in ups:
        task_ok('one of several clones of one template', px, upid)
    ok('linked', any('linking' in line for line in task_log(px, ups[0])), *task_log(px, ups[0]))
    task_ok('clone of a template that cannot be linked to', px, node.lxc(221).clone.post(newid=228))
    start(222)
    start(228)
    ok('its clones do not become templates by themselves', 'template' not in node.lxc(222).config.get())
    ok('the list says which', {int(g['vmid']) for g in node.lxc.get() if g.get('template')} >= {220, 221}, node.lxc.get())
    destroy(*range(222, 229))
    destroy(220, 221)


def df(vmid, path):
    """MiB of the file system at a path inside."""
    return int(inside(vmid, '/bin/df', '-m', path).splitlines()[-1].split()[-5])


def resizing():
    create(230, 'local', mp0='local:0.1,mp=/data')
    create(231, 'btr')
    ct = node.lxc(230)
    start(230)
    before = df(230, '/')
    upid = ct.resize.put(disk='rootfs', size='+64M')
    ok('a UPID', re.fullmatch(UPID % (NODE, 'resize', 230), upid), upid)
    if int(on_node('awk', '/CapEff/ {print $2}', '/proc/self/status'), 16) >> 24 & 1:  # CAP_SYS_RESOURCE
        task_ok('grow the running root', px, upid)
        ok('it has grown inside', df(230, '/') > before + 40, before, df(230, '/'))
        same('the configuration says so', ct.config.get()['rootfs'].split('size=')[1], '166M')
        before = df(230, '/data')
        task_ok('grow a mount point', px, ct.resize.put(disk='mp0', size='200M'))
        ok('it has grown inside', df(230, '/data') > before + 70, before, df(230, '/data'))
    else:
        say('# this node may not grow mounted file systems')
        task_fails('a running root does not grow here, and why', upid, 'CAP_SYS_RESOURCE')
        same('nothing was changed', ct.config.get()['rootfs'].split('size=')[1], '102M')
    stop(230)
    task_ok('grow a stopped mount point', px, ct.resize.put(disk='mp0', size='250M'))
    task_ok('grow a stopped root', px, ct.resize.put(disk='rootfs', size='0.25G'))
    start(230)
    ok('it has grown', df(230, '/') > 220, df(230, '/'))
    ok('the mount point, too', df(230, '/data') > 220, df(230, '/data'))
    raises('it does not shrink', 400, 'unable to shrink', lambda: ct.resize.put(disk='rootfs', size='10M'))
    raises('no such disk', 400, "'mp7' does not exist", lambda: ct.resize.put(disk='mp7', size='1G'))
    raises('an old digest', 500, 'detected modified', lambda: ct.resize.put(disk='rootfs', size='1G', digest='0' * 40))
    for bad in ('-1G', 'much', '1X', '', '+', '1G '):
        raises(f'no size: {bad!r}', 400, 'size', lambda: ct.resize.put(disk='rootfs', size=bad))
    raises('beyond all bounds', 400, 'size', lambda: ct.resize.put(disk='rootfs', size='9999999T'))
    task_ok('grow a subvolume', px, node.lxc(231).resize.put(disk='rootfs', size='+1G'))
    same('the configuration says so', node.lxc(231).config.get()['rootfs'].split('size=')[1], '1126M')
    destroy(230, 231)


def moving():
    create(232, 'btr', mp0='btr:0.1,mp=/data')
    create(233, 'local', mp0='local:0.1,mp=/data')
    ct, other = node.lxc(233), node.lxc(232)
    start(233)
    write(233, '/data/word', 'moved')
    raises('not while it runs', 500, 'feature not available', lambda: ct.move_volume.post(volume='mp0', storage='img'))
    stop(233)
    old = volume(ct.config.get(), 'mp0')
    upid = ct.move_volume.post(volume='mp0', storage='img')
    ok('a UPID', re.fullmatch(UPID % (NODE, 'move_volume', 233), upid), upid)
    task_ok('move a volume', px, upid)
    config = ct.config.get()
    ok('it is there, the old one is kept', config['mp0'].startswith('img:233/') and 'mp=/data' in config['mp0'] and
       config['unused0'] == old and 'lock' not in config, config)
    start(233)
    same('with what was in it', read(233, '/data/word'), 'moved')
    stop(233)
    task_ok('move the root and free the old one', px, ct.move_volume.post(volume='rootfs', storage='img', delete=1))
    ok('it is gone', volids(233) == {old}, volids(233))
    raises('it is there already', 400, 'already', lambda: ct.move_volume.post(volume='rootfs', storage='img'))
    raises('neither storage nor guest', 400, 'storage', lambda: ct.move_volume.post(volume='rootfs'))
    raises('both', 400, 'storage', lambda: ct.move_volume.post(**{'volume': 'mp0', 'storage': 'local', 'target-vmid': 232}))
    raises('no such volume', 400, 'does not exist', lambda: ct.move_volume.post(volume='mp3', storage='local'))
    give = lambda **more: ct.move_volume.post(**{'volume': 'mp0', 'target-vmid': 232, **{k.replace('_', '-'): v for k, v in more.items()}})
    raises('the other has one already', 400, "has 'mp0' already", lambda: give())
    raises('itself', 400, 'itself', lambda: give(target_vmid=233))
    raises('nobody', 400, 'does not exist', lambda: give(target_vmid=299))
    raises('an old digest of the other', 500, 'detected modified', lambda: give(target_volume='mp1', target_digest='0' * 40))
    raises('the root stays', 400, 'root', lambda: give(volume='rootfs', target_volume='mp1'))
    raises('nor where something is mounted already', 400, "mounted on '/data' already", lambda: give(target_volume='mp1'))
    ct.config.put(mp0=ct.config.get()['mp0'].replace('mp=/data', 'mp=/more'))
    task_ok('give it to another container', px, give(target_volume='mp1'))
    mine, theirs = ct.config.get(), other.config.get()
    ok('it changed hands', 'mp0' not in mine and theirs['mp1'].startswith('img:232/') and 'lock' not in mine and 'lock' not in theirs, mine, theirs)
    start(232)
    same('with what was in it', read(232, '/more/word'), 'moved')
    destroy(232, 233)
    same('no volume is left', volids(232) | volids(233), set())


def destroying():
    create(237, 'btr', mp0='local:0.1,mp=/data')
    other = node.storage.btr.content.post(vmid=237, filename='vm-237-disk-7.raw', size='4M', format='raw')
    node.lxc(237).config.put(protection=1)
    raises('not while it is protected', 500, 'protection', lambda: node.lxc(237).delete())
    node.lxc(237).config.put(protection=0)
    task_ok('destroy', px, node.lxc(237).delete(purge=1))
    same('what its configuration named is gone, nothing else', volids(237), {other})
    create(237, 'local')
    task_ok('destroy with all', px, node.lxc(237).delete(**{'purge': 1, 'destroy-unreferenced-disks': 1}))
    same('nothing is left', volids(237), set())


def rights():
    create(235, 'btr')
    px.access.users.post(userid='life@pve', password='life-word-99')
    try:
        user = connect('life@pve', 'life-word-99').nodes(NODE).lxc(235)
        calls = {'snapshot': lambda: user.snapshot.post(snapname='no'), 'list': lambda: user.snapshot.get(),
                 'delete': lambda: user.snapshot('no').delete(), 'rollback': lambda: user.snapshot('no').rollback.post(),
                 'clone': lambda: user.clone.post(newid=236), 'template': lambda: user.template.post(),
                 'resize': lambda: user.resize.put(disk='rootfs', size='+1G'),
                 'move': lambda: user.move_volume.post(volume='rootfs', storage='local'),
                 'feature': lambda: user.feature.get(feature='copy')}
        for name, call in calls.items():
            raises(f'{name} needs a right', 403, 'Permission check failed', call)
        px.access.acl.put(path='/vms/235', users='life@pve', roles='PVEVMAdmin')
        raises('a clone needs the right to the new id', 403, '/vms/236', lambda: user.clone.post(newid=236))
        raises('and growing to the storage', 403, '/storage/btr', lambda: user.resize.put(disk='rootfs', size='+1G'))
        task_ok('a snapshot needs no more', px, user.snapshot.post(snapname='yes'))
    finally:
        px.access.users('life@pve').delete()
    destroy(235)


run(*[globals()[name] for name in sys.argv[2:] or ('snapshots', 'snapshots_refused', 'clones', 'templates', 'resizing', 'moving', 'destroying', 'rights')])
