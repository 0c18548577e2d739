#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Pools through proxmoxer: a user who has rights on a pool alone makes a guest in it, uses and destroys it. Arguments:
the guest's id (the next one is used too), the template's volume id."""
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
