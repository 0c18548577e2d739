#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Snapshots, copies, templates, growing and moving of virtual machines through proxmoxer. Argument: the first of ten ids."""
import re

from lodge_test import *

FIRST = int(sys.argv[1])
px = connect()
node = px.nodes(NODE)
IMAGES = '/var/lib/lodge/local/images'
UPID = r'UPID:%s:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:%s:%s:admin@pve:'


def path(volid):
    return f'{IMAGES}/' + '/'.join(volid.split(':', 1)[1].split('/')[-2:])


def volume(vmid, key='scsi0'):
    return node.qemu(vmid).config.get()[key].split(',')[0]


def write(vmid, letter, key='scsi0'):
    on_node('qemu-io', '-f', volume(vmid, key).rsplit('.', 1)[1], '-c', f'write -P {ord(letter)} 0 64k', path(volume(vmid, key)))


def has(vmid, letter, key='scsi0'):
    p = on_node('qemu-io', '-r', '-f', volume(vmid, key).rsplit('.', 1)[1], '-c', f'read -P {ord(letter)} 0 64k', path(volume(vmid, key)), check=False)
    return p.returncode == 0 and 'failed' not in p.stdout


def virtual_size(vmid, key='scsi0'):
    return json.loads(on_node('qemu-img', 'info', '-U', '--output=json', path(volume(vmid, key))))['virtual-size']


def create(vmid, disk):
    task_ok(f'create {vmid}', px, node.qemu.post(vmid=vmid, name=f'vm{vmid}', memory=64, kvm=0, scsi0=disk, net0='virtio,bridge=vmbr0'))


def destroy(*vmids):
    for vmid in vmids:
        task_ok(f'destroy {vmid}', px, node.qemu(vmid).delete())


def snapshots():
    vm = node.qemu(FIRST)
    create(FIRST, 'local:0.1,format=qcow2')
    same('feature', vm.feature.get(feature='snapshot'), {'hasFeature': 1, 'nodes': [NODE]})
    write(FIRST, 'a')
    upid = vm.snapshot.post(snapname='first', description='of a')
    ok('a UPID', re.fullmatch(UPID % (NODE, 'qmsnapshot', FIRST), upid), upid)
    task_ok('snapshot', px, upid)
    write(FIRST, 'b')
    task_ok('another', px, vm.snapshot.post(snapname='second'))
    write(FIRST, 'c')
    same('the list', [(s['name'], s.get('parent')) for s in vm.snapshot.get()], [('first', None), ('second', 'first'), ('current', 'second')])
    task_ok('rollback', px, vm.snapshot('first').rollback.post())
    ok('the disk is as it was', has(FIRST, 'a'))
    task_ok('and forward', px, vm.snapshot('second').rollback.post())
    ok('the disk is as it was', has(FIRST, 'b'))
    task_ok('full clone of a snapshot', px, vm.clone.post(newid=FIRST + 1, snapname='first', full=1, name='of-first'))
    ok('the copy has that state', has(FIRST + 1, 'a'))
    raises('no memory', 500, 'feature not available', lambda: vm.snapshot.post(snapname='third', vmstate=1))
    task_ok('start', px, vm.status.start.post())
    feature = vm.feature.get(feature='snapshot')
    ok('not while it runs', feature['hasFeature'] == 0 and 'running' in feature['reason'] and feature['nodes'] == [], feature)
    raises('the operation says the same', 500, feature['reason'], lambda: vm.snapshot.post(snapname='third'))
    raises('no copy of the current state', 500, 'feature not available', lambda: vm.clone.post(newid=FIRST + 2, full=1))
    raises('nor of a snapshot in an image that is open', 500, 'feature not available: copy of a snapshot', lambda: vm.clone.post(newid=FIRST + 2, snapname='first', full=1))
    feature = vm.feature.get(feature='copy', snapname='first')
    ok('it says so', feature['hasFeature'] == 0 and 'running' in feature['reason'], feature)
    raises('nor is one deleted', 500, 'feature not available: deletion of a snapshot', lambda: vm.snapshot('first').delete())
    ok('it is whole', all('snapstate' not in s for s in vm.snapshot.get()), vm.snapshot.get())
    task_ok('rollback stops and starts it', px, vm.snapshot('first').rollback.post(start=1))
    same('it runs', vm.status.current.get()['status'], 'running')
    task_ok('stop', px, vm.status.stop.post())
    task_ok('delete', px, vm.snapshot('first').delete())
    same('in the image, too', [s['name'] for s in json.loads(on_node('qemu-img', 'info', '--output=json', path(volume(FIRST)))).get('snapshots', [])], ['second'])
    destroy(FIRST, FIRST + 1)


def clones():
    create(FIRST, 'local:0.1')
    vm = node.qemu(FIRST)
    write(FIRST, 'x')
    raises('a raw image in a folder has no snapshots', 500, 'feature not available: snapshot', lambda: vm.snapshot.post(snapname='first'))
    upid = vm.clone.post(newid=FIRST + 1, name='copy', format='qcow2')
    ok('a UPID', re.fullmatch(UPID % (NODE, 'qmclone', FIRST), upid), upid)
    task_ok('clone into another format', px, upid)
    source, copy = vm.config.get(), node.qemu(FIRST + 1).config.get()
    ok('of its own', copy['name'] == 'copy' and copy['net0'] != source['net0'] and copy['smbios1'] != source['smbios1'] and
       copy['boot'] == source['boot'] and 'lock' not in copy and 'lock' not in source, source, copy)
    ok('its disk', copy['scsi0'].startswith(f'local:{FIRST + 1}/') and '.qcow2' in copy['scsi0'] and has(FIRST + 1, 'x'), copy)
    raises('vmdk', 400, 'format', lambda: vm.clone.post(newid=FIRST + 2, format='vmdk'))
    upid = vm.template.post()
    ok('a UPID', re.fullmatch(UPID % (NODE, 'qmtemplate', FIRST), upid), upid)
    task_ok('template', px, upid)
    ok('it is one', vm.config.get()['template'] == 1 and '/base-' in vm.config.get()['scsi0'], vm.config.get())
    raises('it cannot start', 500, 'template', lambda: vm.status.start.post())
    raises('it stays one', 400, 'read-only option', lambda: vm.config.put(delete='template'))
    for n in (2, 3):
        task_ok('a linked clone', px, vm.clone.post(newid=FIRST + n))
    config = node.qemu(FIRST + 2).config.get()
    ok('linked', f'{FIRST}/base-' in config['scsi0'] and has(FIRST + 2, 'x'), config)
    raises('it keeps its name', 400, 'is a linked clone', lambda: node.qemu(FIRST + 2).config.put(scsi1=f'local:{FIRST + 2}/vm-{FIRST + 2}-disk-0.qcow2'))
    write(FIRST + 2, 'y')
    ok('apart', has(FIRST + 2, 'y') and has(FIRST + 3, 'x') and has(FIRST, 'x'))
    task_ok('it starts', px, node.qemu(FIRST + 2).status.start.post())
    task_ok('stop', px, node.qemu(FIRST + 2).status.stop.post())
    result = wait_task(px, vm.delete())
    ok('a template that clones stand on stays', 'OK' != result and 'lock' not in vm.config.get(), result)
    destroy(FIRST + 3, FIRST + 2, FIRST + 1, FIRST)


def disks():
    create(FIRST, 'local:0.1')
    vm = node.qemu(FIRST)
    upid = vm.resize.put(disk='scsi0', size='+64M')
    ok('a UPID', re.fullmatch(UPID % (NODE, 'resize', FIRST), upid), upid)
    task_ok('grow', px, upid)
    same('the image', virtual_size(FIRST), 166 << 20)
    same('the configuration', vm.config.get()['scsi0'].split('size=')[1], '166M')
    task_ok('start', px, vm.status.start.post())
    task_ok('grow while it runs', px, vm.resize.put(disk='scsi0', size='200M'))
    same('the image', virtual_size(FIRST), 200 << 20)
    raises('no shrinking', 400, 'shrink', lambda: vm.resize.put(disk='scsi0', size='1M'))
    raises('not while it runs', 500, 'feature not available', lambda: vm.move_disk.post(disk='scsi0', storage='local', format='qcow2'))
    task_ok('stop', px, vm.status.stop.post())
    write(FIRST, 'm')
    upid = vm.move_disk.post(disk='scsi0', storage='local', format='qcow2', delete=1)
    ok('a UPID', re.fullmatch(UPID % (NODE, 'qmmove', FIRST), upid), upid)
    task_ok('into another format', px, upid)
    ok('it is', '.qcow2' in vm.config.get()['scsi0'] and has(FIRST, 'm') and 'unused0' not in vm.config.get(), vm.config.get())
    raises('it is there already', 400, 'already', lambda: vm.move_disk.post(disk='scsi0', storage='local'))
    create(FIRST + 1, 'local:0.1')
    give = {'disk': 'scsi0', 'target-vmid': FIRST + 1, 'target-disk': 'scsi3'}
    task_ok('give it away', px, vm.move_disk.post(**give))
    ok('it changed hands', 'scsi0' not in vm.config.get() and has(FIRST + 1, 'm', 'scsi3'), node.qemu(FIRST + 1).config.get())
    destroy(FIRST, FIRST + 1)
    same('no image is left', on_node('sh', '-c', f'ls {IMAGES} | grep -E "^{FIRST // 10}." || :'), '')


run(*[globals()[name] for name in sys.argv[2:] or ('snapshots', 'clones', 'disks')])
