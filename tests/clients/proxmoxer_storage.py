#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Storage and node through proxmoxer: lists, status, content, alloc and delete, version, nodes, resources."""
import urllib.parse
import re

from lodge_test import *

px = connect()
node = px.nodes(NODE)
local = node.storage.local


def node_facts():
    v = px.version.get()
    ok('version', re.fullmatch(r'\d+\.\d+\.\d+.*', v['version']) and re.fullmatch(r'\d+\.\d+', v['release']) and v['repoid'], v)
    rows = px.nodes.get()
    ok('/nodes', len(rows) == 1 and rows[0]['node'] == NODE and rows[0]['status'] == 'online' and rows[0]['maxcpu'] > 0 and
       rows[0]['type'] == 'node' and rows[0]['id'] == f'node/{NODE}', rows)
    s = wait_for(10, lambda: node.status.get())
    ok('node status', all(isinstance(x, str) for x in s['loadavg']) and s['memory']['total'] > s['memory']['used'] > 0 and
       s['cpuinfo']['cpus'] > 0 and s['rootfs']['total'] > 0 and s['uptime'] > 0 and s['kversion'] and s['pveversion'], s)
    same('node version', node.version.get()['release'], px.version.get()['release'])
    c = px.cluster.status.get()
    ok('/cluster/status of one node', len(c) == 1 and c[0]['type'] == 'node' and c[0]['name'] == NODE and c[0]['nodeid'] == 0 and
       c[0]['online'] == 1 and c[0]['local'] == 1, c)
    r = px.cluster.resources.get()
    ok('/cluster/resources has node and storage', {'node', 'storage'} <= {x['type'] for x in r}, r)
    s = [x for x in r if x['type'] == 'storage'][0]
    ok('its storage entry', s['storage'] == 'local' and s['plugintype'] == 'dir' and s['status'] == 'available' and
       isinstance(s['content'], str) and s['maxdisk'] > 0 and s['shared'] == 0, s)


def storages():
    rows = {s['storage']: s for s in node.storage.get()}
    ok('storages of the node', rows['local']['type'] == 'dir' and rows['local']['active'] == 1 and rows['local']['enabled'] == 1 and
       rows['local']['total'] >= rows['local']['used'] + rows['local']['avail'] - 1 and 'vztmpl' in rows['local']['content'], rows)
    s = local.status.get()
    ok('status of one', s['active'] == 1 and s['total'] > 0 and s['type'] == 'dir', s)
    conf = px.storage('local').get()
    ok('its definition', conf['path'] == '/var/lib/lodge/local' and conf['type'] == 'dir', conf)


def content():
    before = {v['volid'] for v in local.content.get()}
    on_node('sh', '-c', 'mkdir -p /var/lib/lodge/local/template/iso && echo x >/var/lib/lodge/local/template/iso/dropped.iso')
    rows = {v['volid']: v for v in local.content.get(content='iso')}
    ok('a file put there is in the next answer', rows.get('local:iso/dropped.iso', {}).get('size') == 2 and
       rows['local:iso/dropped.iso']['content'] == 'iso' and rows['local:iso/dropped.iso']['ctime'] > 0, rows)
    volid = local.content.post(vmid=999, filename='vm-999-disk-0.raw', size='4M', format='raw')
    same('alloc', volid, 'local:999/vm-999-disk-0.raw')
    rows = local.content.get(vmid=999)
    ok('it is listed', len(rows) == 1 and rows[0]['size'] == 4 << 20 and rows[0]['format'] == 'raw', rows)
    info = local.content(volid).get()
    ok('one volume', info['size'] == 4 << 20 and info['format'] == 'raw', info)
    raises('a name once', 500, 'exists', lambda: local.content.post(vmid=999, filename='vm-999-disk-0.raw', size='4M', format='raw'))
    task_ok('delete', px, local.content(volid).delete())
    task_ok('delete a file', px, local.content('local:iso/dropped.iso').delete())
    same('as before', {v['volid'] for v in local.content.get()}, before)
    for bad in ('../../../etc/passwd', 'iso/../../../../etc/passwd', 'iso/a/b.iso'):
        r = wire('DELETE', f'/nodes/{NODE}/storage/local/content/' + urllib.parse.quote('local:' + bad, safe=''), headers=login()[0])
        ok(f'no way out: {bad}', r.status in (400, 500), r)


def definitions():
    before = px.storage.get()
    digest = before[0]['digest']
    made = px.storage.post(storage='second', type='dir', path='/srv/second', content='iso,backup', **{'prune-backups': 'keep-last=2'})
    same('POST /storage', made, {'storage': 'second', 'type': 'dir'})
    rows = {s['storage']: s for s in px.storage.get()}
    ok('it is defined', rows['second']['path'] == '/srv/second' and rows['second']['prune-backups'] == 'keep-last=2', rows)
    s = wait_for(10, lambda: next((s for s in node.storage.get() if s['storage'] == 'second' and s['active']), None))
    ok('and active', s, node.storage.get())
    raises('an old digest', 500, 'detected modified', lambda: px.storage('second').put(disable=1, digest=digest))
    same('PUT', px.storage('second').put(disable=1), {'storage': 'second', 'type': 'dir'})
    ok('disabled', px.storage('second').get()['disable'] == 1)
    raises('it is not used any more', 500, 'is disabled', lambda: node.storage('second').content.get())
    px.storage('second').put(delete='disable')
    on_node('sh', '-c', 'echo x >/srv/second/dump/vzdump-lxc-101-2026_01_31-12_00_00.tar.zst')
    backup = node.storage('second').content('second:backup/vzdump-lxc-101-2026_01_31-12_00_00.tar.zst')
    same('notes', backup.put(notes='first line\nsecond ü', protected=1), None)
    info = backup.get()
    ok('they are told', info['notes'] == 'first line\nsecond ü' and info['protected'] == 1, info)
    row = node.storage('second').content.get(content='backup')[0]
    ok('their first line in the list', row['notes'] == 'first line' and row['protected'] == 1 and row['vmid'] == 101, row)
    ok('a protected backup stays', 'protected' in wait_task(px, backup.delete()))
    backup.put(protected=0, notes='')
    ok('and is told no more', 'notes' not in backup.get() and 'protected' not in backup.get(), backup.get())
    task_ok('then it goes', px, backup.delete())
    on_node('sh', '-c', 'for d in 1 2 3; do echo x >/srv/second/dump/vzdump-qemu-101-2026_01_0$d-12_00_00.vma.zst; done')
    marks = {b['volid'][-23:-8]: b['mark'] for b in node.storage('second').prunebackups.get()}
    same('what the storage keeps', sorted(marks.values()), ['keep', 'keep', 'remove'])
    marks = [b['mark'] for b in node.storage('second').prunebackups.get(**{'prune-backups': 'keep-last=1', 'vmid': 101, 'type': 'qemu'})]
    same('what another rule would', marks, ['keep', 'remove', 'remove'])
    task_ok('prune', px, node.storage('second').prunebackups.delete(**{'prune-backups': 'keep-daily=1'}))
    left = node.storage('second').content.get()
    ok('the newest is left', len(left) == 1 and '2026_01_03' in left[0]['volid'], left)
    task_ok('and goes', px, node.storage('second').content(left[0]['volid']).delete())
    same('nothing beside it', on_node('ls', '-A', '/srv/second/dump'), '')
    raises('images have no notes', 500, 'only backups', lambda: local.content('local:101/vm-101-disk-0.raw').put(notes='x'))
    raises('other types', 400, 'not supported by this version', lambda: px.storage.post(storage='s3', type='nfs', server='h', export='/x'))
    same('DELETE', px.storage('second').delete(), None)
    same('as before', [s['storage'] for s in px.storage.get()], [s['storage'] for s in before])
    on_node('rm', '-r', '/srv/second')


run(node_facts, storages, content, definitions)
