#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Pools through proxmoxer: a user who has rights on a pool alone makes a guest in it, uses and destroys it, and puts it on
bridges that are theirs to use. Arguments: the guest's id (the next one is used too), the template's volume id."""
from lodge_test import *

VMID, TEMPLATE = int(sys.argv[1]), sys.argv[2]
USER_ID, WORD = 'pat@pve', 'a pool of one'
px = connect()
node = px.nodes(NODE)


def members(poolid):
    return sorted(m['id'] for m in px.pools(poolid).get()['members'])


def entry(vmid):
    return next((r for r in px.cluster.resources.get(type='vm') if r['vmid'] == vmid), {})


def create(who, vmid, **more):
    return who.nodes(NODE).lxc.post(vmid=vmid, ostemplate=TEMPLATE, memory=32, swap=0, rootfs='local:0.1', **more)


def bridges(who):
    return [b['iface'] for b in who.nodes(NODE).network.get(type='any_bridge')]


def bridge_rights(pat):
    """A bridge is used by the right to it; the guest that is there stays there."""
    guest, where = pat.nodes(NODE).lxc(VMID), '/sdn/zones/localnetwork/vmbr0'
    put = lambda **net: guest.config.put(net0=','.join(f'{k}={v}' for k, v in net.items()))
    ok('the node has a bridge', 'vmbr0' in bridges(px), bridges(px))
    same('none is shown without a right to one', bridges(pat), [])
    raises('nor can it be used', 403, f'Permission check failed ({where}, SDN.Use)', lambda: put(name='eth0', bridge='vmbr0'))
    raises('nor a VLAN of it', 403, f'Permission check failed ({where}/5, SDN.Use)', lambda: put(name='eth0', bridge='vmbr0', tag=5))
    raises('nor for a new guest', 403, 'SDN.Use', lambda: create(pat, VMID + 1, pool='lab', net0='name=eth0,bridge=vmbr0'))
    px.access.acl.put(path=f'{where}/5', roles='PVESDNUser', users=USER_ID)
    same('who may use a VLAN sees its bridge', bridges(pat), ['vmbr0'])
    raises('and does not use the rest', 403, f'({where}, SDN.Use)', lambda: put(name='eth0', bridge='vmbr0'))
    px.access.acl.put(path=where, roles='PVESDNUser', users=USER_ID)
    same('with the right', put(name='eth0', bridge='vmbr0'), None)
    for path in where, f'{where}/5':
        px.access.acl.put(path=path, roles='PVESDNUser', users=USER_ID, delete=1)
    same('what is there stays', put(name='eth1', bridge='vmbr0', mtu=1400), None)
    raises('a copy would be another one there', 403, 'SDN.Use', lambda: guest.clone.post(newid=VMID + 1, pool='lab'))
    same('and goes', guest.config.put(delete='net0'), None)


def other_letters():
    """A user whose name is no English word has tasks like others."""
    name = 'jörg@pve'
    px.access.users.post(userid=name, password=WORD)
    px.access.acl.put(path=f'/vms/{VMID}', roles='PVEVMUser', users=name)
    session, _ = login(name, WORD)
    guest = f'/nodes/{NODE}/lxc/{VMID}'
    for verb in 'start', 'stop':
        r = wire('POST', f'{guest}/status/{verb}', {}, session)
        ok(f'{name}: {verb}', r.status == 200 and r.data.endswith(f':{VMID}:{name}:'), r)
        task_ok('its task', px, r.data)
        status = wire('GET', f'/nodes/{NODE}/tasks/{urllib.parse.quote(r.data)}/status', None, session)
        ok('which is its user\'s own to see', status.status == 200 and status.data['user'] == name, status)
    ok('the list names them', any(t['user'] == name for t in px.nodes(NODE).tasks.get()))
    raises('but no name has a space in it', 400, 'userid', lambda: px.access.users.post(userid='j\u00a0g@pve'))
    px.access.users(name).delete()


px.access.users.post(userid=USER_ID, password=WORD)
same('a pool is made', px.pools.post(poolid='lab', comment='Labor'), None)
px.pools.put(poolid='lab', storage='local')
px.access.acl.put(path='/pool/lab', roles='PVEVMAdmin,PVEDatastoreUser,PVETemplateUser', users=USER_ID)
pat = connect(USER_ID, WORD)
same('nothing to see', pat.cluster.resources.get(type='vm'), [])
ok('but the storage of the pool', [s['storage'] for s in pat.nodes(NODE).storage.get()] == ['local'])
raises('no guest outside of the pool', 403, 'VM.Allocate', lambda: create(pat, VMID))
raises('no pool of that name', 400, "pool 'none' does not exist", lambda: create(pat, VMID, pool='none'))
task_ok('a guest in the pool', pat, create(pat, VMID, pool='lab', hostname='inlab'))
same('is a member', members('lab'), [f'lxc/{VMID}', f'storage/{NODE}/local'])
same('says so', entry(VMID).get('pool'), 'lab')
ok('the pool stands among the resources', any(r['type'] == 'pool' and r['id'] == '/pool/lab' for r in px.cluster.resources.get()))
ok('rights come from it', pat.access.permissions.get()[f'/vms/{VMID}']['VM.PowerMgmt'] == 1)
task_ok('its owner starts it', pat, pat.nodes(NODE).lxc(VMID).status.start.post())
task_ok('and stops it', pat, pat.nodes(NODE).lxc(VMID).status.stop.post())
bridge_rights(pat)
other_letters()
raises('a copy outside', 403, 'VM.Allocate', lambda: pat.nodes(NODE).lxc(VMID).clone.post(newid=VMID + 1))
task_ok('a copy in the pool', pat, pat.nodes(NODE).lxc(VMID).clone.post(newid=VMID + 1, pool='lab'))
same('both are members', members('lab'), [f'lxc/{VMID}', f'lxc/{VMID + 1}', f'storage/{NODE}/local'])
raises('a pool with members stays', 500, 'not empty', lambda: px.pools('lab').delete())
px.access.acl.put(path=f'/vms/{VMID}', roles='PVEAuditor', users=USER_ID)
for vmid in VMID, VMID + 1:
    task_ok(f'{vmid} is destroyed', pat, pat.nodes(NODE).lxc(vmid).delete())
ok('its place in the pool goes with it', wait_for(5, lambda: members('lab') == [f'storage/{NODE}/local']), members('lab'))
ok('and the rights on it', not any(a['path'] == f'/vms/{VMID}' for a in px.access.acl.get()))
px.pools.put(poolid='lab', storage='local', delete=1)
same('an empty pool goes', px.pools('lab').delete(), None)
raises('and is gone', 500, 'does not exist', lambda: px.pools('lab').get())
ok('with its rights', not any(a['path'] == '/pool/lab' for a in px.access.acl.get()))
px.access.users(USER_ID).delete()
finish()
