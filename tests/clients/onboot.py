#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that start with their host. Argument: before or after the boot."""
from lodge_test import *

px = connect()
node = px.nodes(NODE)
IDS = {121: 1, 122: 0, 120: 1}


def starts():
    return [t['upid'] for t in node.tasks.get(typefilter='vzstart', limit=500)]


def before():
    for vmid, onboot in IDS.items():
        task_ok(f'create {vmid}', px, node.lxc.post(vmid=vmid, ostemplate='local:vztmpl/busybox.tar.gz', rootfs='local:0.1',
                memory=64, swap=0, onboot=onboot, net0='name=eth0,bridge=vmbr0,ip=dhcp'))
    task_ok('start 121', px, node.lxc(121).status.start.post())
    on_node('sh', '-c', 'cat >/var/lib/lodge/known-tasks', text_input=json.dumps(starts()))


def after():
    state = lambda vmid: node.lxc(vmid).status.current.get()['status']
    ok('those with onboot run again', wait_for(40, lambda: state(120) == 'running' and state(121) == 'running'), state(120), state(121))
    same('the other does not', state(122), 'stopped')
    known = json.loads(on_node('cat', '/var/lib/lodge/known-tasks'))
    new = sorted((u for u in starts() if u not in known), key=lambda u: u.split(':')[3])
    same('in the order of their ids', [u.split(':')[6] for u in new], ['120', '121'])
    ok('the bridge has its address', 'inet 10.' in on_node('ip', '-4', '-o', 'address', 'show', 'dev', 'vmbr0'))
    has_lease = lambda: [i for i in node.lxc(120).interfaces.get() if i['name'] == 'eth0' and i.get('inet', '').startswith('10.')]
    ok('DHCP answers again', wait_for(30, has_lease, 0.5))
    for vmid in IDS:
        if state(vmid) == 'running':
            task_ok(f'stop {vmid}', px, node.lxc(vmid).status.stop.post())
        task_ok(f'destroy {vmid}', px, node.lxc(vmid).delete())


run({'before': before, 'after': after}[sys.argv[1]])
