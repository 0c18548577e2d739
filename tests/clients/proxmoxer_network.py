#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The node's network through proxmoxer: lists, staging, applying with a way back; then DNS, hosts and time.

usage: proxmoxer_network.py ADDRESS GATEWAY SPARE  (the node's address, its gateway, a free address of that network)"""
import ipaddress
import socket
import sys
import threading

from lodge_test import *

address, gateway, spare = sys.argv[1:4]
px = connect()
node = px.nodes(NODE)


def state():
    """What of the kernel's state is not Lodge's NAT bridge."""
    text = on_node('sh', '-c', 'ip -o -4 address | awk \'{print "address", $2, $4}\'; ip -4 route | sed "s/ *$//;s/^/route /"; '
                   'ip -o link | sed -n "s/^[0-9]*: \\([^@:]*\\).* master \\([^ ]*\\) .*/port \\1 \\2/p"')
    return sorted(x for x in text.splitlines() if 'vmbr0' not in x)


def apply(text, **params):
    return task_ok(text, px, node.network.put(**params), 30)


def lists():
    rows = {x['iface']: x for x in node.network.get()}
    ok('the host\'s interface', rows['eth0']['type'] == 'eth' and rows['eth0']['address'] == address and rows['eth0']['netmask'] == '24'
       and rows['eth0']['gateway'] == gateway and rows['eth0']['active'] == 1 and rows['eth0']['exists'] == 1 and
       rows['eth0']['managed'] == 'host' and rows['eth0']['method'] == 'static', rows['eth0'])
    ok('the NAT bridge is shown as what it is', rows['vmbr0']['managed'] == 'nat' and 'NAT' in rows['vmbr0']['comments'] and
       rows['vmbr0']['type'] == 'bridge', rows['vmbr0'])
    ok('neither loopback nor guests', not any(x == 'lo' or x.startswith('veth') for x in rows), rows)
    same('only bridges', {x['type'] for x in node.network.get(type='bridge')}, {'bridge'})
    same('any_bridge', {x['type'] for x in node.network.get(type='any_bridge')}, {'bridge'})
    same('none of them', node.network.get(type='bond'), [])
    same('one', node.network('eth0').get()['cidr'], address + '/24')
    raises('one that is not there', 500, 'does not exist', lambda: node.network('eth77').get())


def refusals():
    before = state()
    post = lambda **p: node.network.post(**p)
    raises('no type', 400, 'type', lambda: post(iface='vmbr5'))
    raises('no such type', 400, 'type', lambda: post(iface='vmbr5', type='tunnel'))
    raises('VLANs are not built', 400, 'not built', lambda: post(iface='eth0.5', type='vlan'))
    raises('bonds are not built', 400, 'not built', lambda: post(iface='bond0', type='bond', slaves='eth0', bond_mode='802.3ad'))
    raises('VLAN-aware bridges are not built', 400, 'bridge_vlan_aware', lambda: post(iface='vmbr5', type='bridge', bridge_vlan_aware=1))
    raises('a bad address', 400, 'cidr', lambda: post(iface='vmbr5', type='bridge', cidr='10.5.0.1'))
    raises('a gateway alone', 400, 'gateway', lambda: post(iface='vmbr5', type='bridge', gateway='10.5.0.1'))
    raises('a bad MTU', 400, 'mtu', lambda: post(iface='vmbr5', type='bridge', mtu=10))
    raises('a long name', 400, 'iface', lambda: post(iface='vmbr5678901234567', type='bridge'))
    raises('loopback', 400, 'iface', lambda: node.network('lo').put(type='eth', cidr='127.0.0.2/8'))
    raises('the NAT bridge', 400, 'iface', lambda: node.network('vmbr0').put(type='bridge', cidr='10.5.0.1/24'))
    raises('the host\'s own is not deleted', 400, 'iface', lambda: node.network('eth0').delete())
    raises('nor what is not there', 500, 'does not exist', lambda: node.network('vmbr5').delete())
    raises('nothing waits', 500, 'waits', lambda: node.network.confirm.post())
    same('nothing changed', state(), before)
    r = wire('GET', f'/nodes/{NODE}/network', headers=login()[0])
    ok('and nothing is staged', 'changes' not in r.json, r)


def staging():
    before = state()
    same('a bridge', node.network.post(iface='vmbr5', type='bridge', cidr='10.5.0.1/24', autostart=1, comments='two\nlines'), None)
    raises('twice', 500, 'already exists', lambda: node.network.post(iface='vmbr5', type='bridge'))
    r = wire('GET', f'/nodes/{NODE}/network', headers=login()[0])
    ok('the difference is shown', '+bridge: vmbr5' in r.json.get('changes', '') and '+\tcidr 10.5.0.1/24' in r.json['changes'], r)
    row = node.network('vmbr5').get()
    ok('as it shall be', row['address'] == '10.5.0.1' and row['comments'] == 'two\nlines' and row['autostart'] == 1 and
       'exists' not in row and 'active' not in row and row['managed'] == 'lodge', row)
    same('it is not there yet', state(), before)
    same('revert', node.network.delete(), None)
    raises('it is gone', 500, 'does not exist', lambda: node.network('vmbr5').get())
    node.network.post(iface='vmbr5', type='bridge', cidr='10.5.0.1/24', autostart=1)
    node.network('vmbr5').put(type='bridge', address='10.5.0.2', netmask='255.255.255.0', autostart=1, mtu=1400)
    upid = node.network.put()
    ok('its task', ':srvreload:networking:' in upid, upid)
    task_ok('applied; no one needs to confirm it', px, upid, 20)
    ok('it says so', any('no confirmation' in x for x in task_log(px, upid)), *task_log(px, upid))
    ok('it is there', '10.5.0.2/24' in on_node('ip', '-br', 'address', 'show', 'dev', 'vmbr5'), state())
    same('its MTU', on_node('cat', '/sys/class/net/vmbr5/mtu'), '1400')
    row = node.network('vmbr5').get()
    ok('active', row['active'] == 1 and row['exists'] == 1 and row['mtu'] == 1400, row)
    apply('nothing to be done')
    node.network('vmbr5').delete()
    apply('it goes again')
    same('as before', state(), before)


def own_address():
    """The node's address moves onto a bridge: the client that polls the task confirms it."""
    node.network.post(iface='vmbr1', type='bridge', bridge_ports='eth0', cidr=address + '/24', gateway=gateway, autostart=1)
    apply('the node\'s address moves onto a bridge')
    ok('the bridge has it', f'address vmbr1 {address}/24' in state() and 'port eth0 vmbr1' in state() and
       any(x.startswith(f'route default via {gateway} dev vmbr1') for x in state()), *state())
    row = node.network('vmbr1').get()
    ok('shown', row['bridge_ports'] == 'eth0' and row['gateway'] == gateway and row['active'] == 1, row)


def bad_gateway():
    before = state()
    network = ipaddress.ip_network(address + '/24', strict=False)
    for bad in (str(network[253]), '203.0.113.1'):
        node.network('vmbr1').put(type='bridge', bridge_ports='eth0', cidr=address + '/24', gateway=bad, autostart=1)
        upid = node.network.put()
        result = wait_task(px, upid, 40)
        ok(f'gateway {bad} is noticed', 'does not answer' in result and 'as it was' in result, result, *task_log(px, upid))
        same('the network is as it was', state(), before)
        ok('the change is still there to be corrected', node.network('vmbr1').get()['gateway'] == bad)
    node.network.delete()


def new_address():
    node.network('vmbr1').put(type='bridge', bridge_ports='eth0', cidr=spare + '/24', gateway=gateway, autostart=1)
    upid = node.network.put(**{'confirm-timeout': 30})
    there = ProxmoxAPI(spare, user=USER, password=PASSWORD, verify_ssl=False, timeout=5) if wait_for(
        20, lambda: answers(spare)) else None
    result = wait_task(there, upid, 30)
    same('a call at the new address confirms it', result, 'OK')
    ok('the old one is gone', not answers(address))
    there.nodes(NODE).network('vmbr1').put(type='bridge', bridge_ports='eth0', cidr=address + '/24', gateway=gateway, autostart=1)
    upid = there.nodes(NODE).network.put()
    wait_for(20, lambda: answers(address))
    same('and back', wait_task(connect(), upid, 30), 'OK')


def answers(host):
    try:
        socket.create_connection((host, PORT), timeout=1).close()
        return True
    except OSError:
        return False


def unconfirmed():
    """An address that the client cannot reach: nobody calls, so it goes back by itself."""
    before = state()
    node.network('vmbr1').put(type='bridge', bridge_ports='eth0', cidr='10.123.0.1/24', autostart=1)
    upid = node.network.put(**{'confirm-timeout': 3})
    # its default route went with the address: that alone is noticed
    result = wait_for(30, lambda: answers(address)) and wait_task(connect(), upid, 30)
    ok('a lost default route is noticed', 'default route' in str(result), result)
    same('the network is as it was', state(), before)
    connect().nodes(NODE).network.delete()


def loopback_does_not_confirm():
    """A monitor on the node itself, with the same credentials, says nothing about who can reach it."""
    before = state()
    node.network('vmbr1').put(type='bridge', bridge_ports='eth0', cidr=address + '/24', gateway=gateway, autostart=1, mtu=1400)
    px.access.users.post(userid='else@pve', password='somebody-else-1')
    somebody = connect('else@pve', 'somebody-else-1')
    upid = node.network.put(**{'confirm-timeout': 4})
    end = time.monotonic() + 8
    ticket = on_node('curl', '-ks', '-d', f'username={USER}', '-d', f'password={PASSWORD}', 'https://127.0.0.1:8006/api2/json/access/ticket')
    cookie = 'PVEAuthCookie=' + urllib.parse.quote(json.loads(ticket)['data']['ticket'], safe='')
    while time.monotonic() < end:
        somebody.version.get()  # from the same address, and nobody who asked for the change
        on_node('curl', '-ks', '-o', '/dev/null', '-b', cookie, 'https://127.0.0.1:8006/api2/json/version')
    result = wait_task(px, upid, 20)
    ok('without the caller it goes back', 'nobody confirmed' in result, result)
    same('the network is as it was', state(), before)
    node.network.delete()
    px.access.users('else@pve').delete()


def dns():
    before = on_node('cat', '/etc/resolv.conf')
    if on_node('test', '-L', '/etc/resolv.conf', check=False).returncode == 0 or 'generated' in before.lower().split('\n')[0]:
        raises('a file of another program is left alone', 500, 'resolv.conf', lambda: node.dns.put(search='lab.example', dns1='192.0.2.1'))
        on_node('sh', '-c', 'rm /etc/resolv.conf && echo "options edns0" >/etc/resolv.conf')
    same('PUT dns', node.dns.put(search='lab.example other.example', dns1='192.0.2.1', dns2='2001:db8::1'), None)
    d = node.dns.get()
    ok('GET dns', d['dns1'] == '192.0.2.1' and d['dns2'] == '2001:db8::1' and 'dns3' not in d and d['search'] == 'lab.example other.example', d)
    same('in the file', on_node('cat', '/etc/resolv.conf').splitlines()[:3], ['search lab.example other.example', 'nameserver 192.0.2.1', 'nameserver 2001:db8::1'])
    raises('a bad server', 400, 'dns1', lambda: node.dns.put(search='a', dns1='x'))
    raises('no search domain', 400, 'search', lambda: node.dns.put(dns1='192.0.2.1'))
    raises('two lines', 400, 'search', lambda: node.dns.put(search='a\nnameserver 6.6.6.6'))
    same('unchanged by it', node.dns.get()['dns1'], '192.0.2.1')
    node.dns.put(search='.')


def hosts():
    old = node.hosts.get()
    ok('GET hosts', 'localhost' in old['data'] and len(old['digest']) == 40, old)
    text = old['data'] + '192.0.2.77 seventy-seven # and a note\n'
    same('POST hosts', node.hosts.post(data=text, digest=old['digest']), None)
    same('in the file', on_node('getent', 'hosts', 'seventy-seven').split()[0], '192.0.2.77')
    raises('an old digest', 500, 'modified', lambda: node.hosts.post(data=old['data'], digest=old['digest']))
    raises('no hosts file', 400, 'data', lambda: node.hosts.post(data='127.0.0.1 localhost\nnonsense here\n'))
    raises('an address alone', 400, 'data', lambda: node.hosts.post(data='127.0.0.1\n'))
    same('unchanged by it', node.hosts.get()['data'], text)
    same('of several with one digest only one is taken', {rivals(old['data'] + f'192.0.2.{n} ') for n in range(1, 16)}, {1})
    node.hosts.post(data=old['data'])
    same('as before', node.hosts.get(), old)


callers = []


def rivals(text):
    """Some at once, who all read the same: how many are told that theirs was taken?"""
    while len(callers) < 4:
        callers.append(connect().nodes(NODE).hosts)
    digest = node.hosts.get()['digest']
    taken, barrier = [], threading.Barrier(len(callers))

    def post(name, who):
        barrier.wait()
        try:
            who.post(data=f'{text}{name}\n', digest=digest)
            taken.append(name)
        except ResourceException:
            pass

    threads = [threading.Thread(target=post, args=(f'rival{i}', who)) for i, who in enumerate(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(taken)


def timezone():
    old = node.time.get()
    same('PUT time', node.time.put(timezone='Asia/Tokyo'), None)
    t = node.time.get()
    ok('GET time', t['timezone'] == 'Asia/Tokyo' and t['localtime'] - t['time'] == 9 * 3600, t)
    same('on the node', on_node('date', '+%Z'), 'JST')
    for bad in ('Mars/Olympus', '../../etc/passwd', '', 'Asia/'):
        raises(f'no zone: {bad!r}', 400, 'timezone', lambda: node.time.put(timezone=bad))
    same('unchanged by it', node.time.get()['timezone'], 'Asia/Tokyo')
    node.time.put(timezone=old['timezone'] if '/' in old['timezone'] else 'Etc/UTC')


def permissions():
    px.access.users.post(userid='net@pve', password='an-auditor-1')
    px.access.acl.put(path=f'/nodes/{NODE}', users='net@pve', roles='PVEAuditor')
    other = connect('net@pve', 'an-auditor-1').nodes(NODE)
    ok('an auditor sees', any(x['iface'] == 'lo' or x['iface'] == 'vmbr0' for x in other.network.get()) and other.network('eth0').get() and other.dns.get())
    for what, call in (('POST', lambda: other.network.post(iface='vmbr9', type='bridge')), ('PUT', lambda: other.network.put()),
                       ('DELETE', lambda: other.network.delete()), ('confirm', lambda: other.network.confirm.post()),
                       ('PUT of one', lambda: other.network('eth0').put(type='eth')), ('DELETE of one', lambda: other.network('eth0').delete()),
                       ('dns', lambda: other.dns.put(search='a')), ('hosts', lambda: other.hosts.post(data='127.0.0.1 a\n')),
                       ('time', lambda: other.time.put(timezone='Asia/Tokyo'))):
        raises(f'and does not change: {what}', 403, 'Sys.Modify', call)
    px.access.users('net@pve').delete()


run(lists, refusals, staging, own_address, bad_gateway, new_address, unconfirmed, loopback_does_not_confirm, dns, hosts, timezone, permissions)
