#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Access through proxmoxer and on the wire: tickets, CSRF, tokens, users, groups, roles, ACL."""
import base64
import concurrent.futures
import re
import urllib.parse

from lodge_test import *

px = connect()


def tickets():
    headers, data = login()
    ok('the ticket has its form', re.fullmatch(r'PVE:admin@pve:[0-9A-F]{8}::[A-Za-z0-9+/=]+', data['ticket']),
       data['ticket'])
    ok('the CSRF token has its form', re.fullmatch(r'[0-9A-F]{8}:\S+', data['CSRFPreventionToken']), data)
    same('username', data['username'], 'admin@pve')
    ok('cap names what the user may do', data['cap'].get('vms', {}).get('VM.Allocate') == 1, data['cap'])
    cookie = {'Cookie': headers['Cookie']}
    same('GET with the cookie', wire('GET', '/version', headers=cookie).status, 200)
    same('GET with the ticket as Authorization',
         wire('GET', '/version', headers={'Authorization': 'PVEAuthCookie=' + data['ticket']}).status, 200)
    r = wire('POST', '/access/ticket', {'username': USER, 'password': data['ticket']})
    ok('a ticket renews itself', r.status == 200 and r.data['ticket'].startswith('PVE:admin@pve:'), r)
    r = wire('POST', '/access/ticket', {'username': 'admin', 'realm': 'pve', 'password': PASSWORD})
    ok('login with a realm apart', r.status == 200 and r.data['username'] == USER, r)
    r = wire('POST', '/access/ticket', json_body={'username': USER, 'password': PASSWORD})
    same('login by JSON', r.status, 200)
    same('GET /access/ticket is a dummy', wire('GET', '/access/ticket').json, {'data': None})
    ok('/access/domains needs no login', {'pam', 'pve'} <= {d['realm'] for d in wire('GET', '/access/domains').data})


def csrf():
    headers, data = login()
    group = {'groupid': 'csrf'}
    cookie = {'Cookie': headers['Cookie']}
    cases = {
        'without a CSRF token': cookie,
        'with a foreign CSRF token': {**cookie, 'CSRFPreventionToken': '6543210A:' + base64.b64encode(b'x' * 32).decode()},
    }
    with concurrent.futures.ThreadPoolExecutor() as pool:
        replies = {text: pool.submit(wire, 'POST', '/access/groups', group, h) for text, h in cases.items()}
    for text, reply in replies.items():
        r = reply.result()
        ok(f'a change {text} is refused', r.status == 401 and r.reason == 'Permission denied - invalid csrf token', r)
    ok('nothing was made', 'csrf' not in [g['groupid'] for g in px.access.groups.get()])
    same('with it a change works', wire('POST', '/access/groups', group, headers).status, 200)
    same('DELETE needs it too and has it', wire('DELETE', '/access/groups/csrf', headers=headers).status, 200)


def refused():
    """All 401s at once: each is held back for three seconds."""
    _, data = login()
    ticket = data['ticket']
    old = re.sub(r':[0-9A-F]{8}::', ':5F000000::', ticket)
    cut = ticket[:-8] + ('A' if ticket[-8] != 'A' else 'B') + ticket[-7:]
    other = ticket.replace('admin@pve', 'root@pam')
    quote = lambda t: {'Cookie': 'PVEAuthCookie=' + urllib.parse.quote(t, safe='')}
    cases = [
        ('no credentials', '/version', {}, 'No ticket'),
        ('a forged ticket', '/version', quote(cut), 'permission denied - invalid PVE ticket'),
        ('another user in the ticket', '/version', quote(other), 'permission denied - invalid PVE ticket'),
        ('an expired ticket', '/version', quote(old), 'permission denied - invalid PVE ticket'),
        ('rubbish for a ticket', '/version', quote('PVE:'), 'permission denied - invalid PVE ticket'),
        ('an unknown token', '/version', {'Authorization': 'PVEAPIToken=admin@pve!no=' + '0' * 8 + '-0000-0000-0000-' + '0' * 12}, ''),
    ]
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = [(c, pool.submit(wire, 'GET', c[1], None, c[2])) for c in cases]
        wrong = pool.submit(wire, 'POST', '/access/ticket', {'username': USER, 'password': 'wrong-one'})
        nobody = pool.submit(wire, 'POST', '/access/ticket', {'username': 'nobody@pve', 'password': 'wrong-one'})
    for (text, _, _, reason), reply in replies:
        r = reply.result()
        ok(f'{text}: 401 {reason}', r.status == 401 and reason in r.reason and r.json is not None and r.data is None, r)
    for text, reply in (('a wrong password', wrong), ('an unknown user', nobody)):
        r = reply.result()
        ok(f'{text}: 401', r.status == 401 and r.reason == 'authentication failure', r)
    took = time.monotonic() - begin
    ok('refusals are held back for three seconds', 2.8 <= took <= 8, took)


def users():
    px.access.users.post(userid='anna@pve', password='first-word-1', email='a@example.org', firstname='Anna')
    user = px.access.users('anna@pve').get()
    ok('a user', user['email'] == 'a@example.org' and user['firstname'] == 'Anna' and user['enable'] == 1, user)
    ok('it is in the list', 'anna@pve' in [u['userid'] for u in px.access.users.get()])
    raises('it exists once', 500, 'already exists', lambda: px.access.users.post(userid='anna@pve', password='first-word-1'))
    px.access.users('anna@pve').put(comment='of the lab', email='b@example.org')
    user = px.access.users('anna@pve').get()
    ok('a changed user', user['comment'] == 'of the lab' and user['email'] == 'b@example.org', user)
    px.access.groups.post(groupid='lab', comment='people')
    px.access.users('anna@pve').put(groups='lab')
    same('a group has members', px.access.groups('lab').get()['members'], ['anna@pve'])
    px.access.groups('lab').put(comment='more people')
    same('a changed group', px.access.groups('lab').get()['comment'], 'more people')
    anna = connect('anna@pve', 'first-word-1')
    same('she logs in and may nothing', anna.access.permissions.get(), {})
    raises('only the administrator asks for others', 403, 'Permission check failed', lambda: anna.access.permissions.get(userid=USER))
    raises('a call without rights: 403', 403, 'Permission check failed (/access/groups, Group.Allocate)',
           lambda: anna.access.groups.post(groupid='mine'))
    anna.access.password.put(**{'userid': 'anna@pve', 'password': 'second-word-2', 'confirmation-password': 'first-word-1'})
    ok('a new password is good', connect('anna@pve', 'second-word-2').version.get()['release'])


def roles_and_acl():
    px.access.roles.post(roleid='Looker', privs='VM.Audit')
    px.access.roles('Looker').put(privs='Sys.Audit', append=1)
    same('a role', sorted(px.access.roles('Looker').get()), ['Sys.Audit', 'VM.Audit'])
    roles = {r['roleid']: r for r in px.access.roles.get()}
    ok('the contract\'s roles', {'Administrator', 'NoAccess', 'PVEAdmin', 'PVEAuditor', 'PVEVMAdmin', 'PVEVMUser',
       'PVEDatastoreAdmin', 'PVEDatastoreUser', 'PVEUserAdmin', 'PVESysAdmin'} <= set(roles), sorted(roles))
    same('they are special', roles['PVEAdmin']['special'], 1)
    px.access.acl.put(path='/', roles='Looker', groups='lab', propagate=1)
    px.access.acl.put(path='/vms/100', roles='PVEVMUser', users='anna@pve')
    entries = px.access.acl.get()
    ok('the ACL list', {'path': '/', 'propagate': 1, 'roleid': 'Looker', 'type': 'group', 'ugid': 'lab'} in entries, entries)
    anna = connect('anna@pve', 'second-word-2')
    rights = anna.access.permissions.get()
    ok('a group gives rights', rights.get('/', {}).get('VM.Audit') == 1, rights)
    ok('a nearer entry replaces it', 'VM.Console' in rights.get('/vms/100', {}) and 'Sys.Audit' not in rights['/vms/100'], rights)
    same('the same asked for by the administrator', px.access.permissions.get(userid='anna@pve'), rights)
    same('one path', sorted(anna.access.permissions.get(path='/nodes/x').get('/nodes/x', {})), ['Sys.Audit', 'VM.Audit'])
    px.access.acl.put(path='/vms/100', roles='PVEVMUser', users='anna@pve', delete=1)
    ok('an entry removed', '/vms/100' not in [e['path'] for e in px.access.acl.get()])


def tokens():
    made = px.access.users('anna@pve').token('ro').post(comment='x')
    ok('a token', made['full-tokenid'] == 'anna@pve!ro' and made['info']['privsep'] == 1 and
       re.fullmatch(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', made['value']), made)
    token = connect('anna@pve', token_name='ro', token_value=made['value'])
    same('a separated token has no rights of its own', token.access.permissions.get(), {})
    px.access.acl.put(path='/nodes', roles='PVEAuditor', tokens='anna@pve!ro')
    rights = token.access.permissions.get()
    same('it has the common part of its own and its user\'s', sorted(rights.get('/nodes', {})), ['Sys.Audit', 'VM.Audit'])
    full = px.access.users('anna@pve').token('full').post(privsep=0)
    token = connect('anna@pve', token_name='full', token_value=full['value'])
    ok('a token without separation has its user\'s rights', token.access.permissions.get().get('/', {}).get('Sys.Audit') == 1)
    same('changes by token need no CSRF token', wire('PUT', '/access/users/anna@pve/token/full', {'comment': 'c'},
         {'Authorization': 'PVEAPIToken=anna@pve!full=' + full['value']}).status, 200)
    same('a blank after PVEAPIToken', wire('GET', '/version', headers={'Authorization': 'PVEAPIToken anna@pve!full=' + full['value']}).status, 200)
    same('both are listed', sorted(t['tokenid'] for t in px.access.users('anna@pve').token.get()), ['full', 'ro'])
    r = wire('PUT', '/access/password', {'userid': 'anna@pve', 'password': 'third-word-3'},
             {'Authorization': 'PVEAPIToken=anna@pve!full=' + full['value']})
    ok('no password change by token', r.status in (401, 403), r)
    px.access.users('anna@pve').token('full').delete()
    ok('a deleted token', 'full' not in [t['tokenid'] for t in px.access.users('anna@pve').token.get()])
    r = wire('GET', '/version', headers={'Authorization': 'PVEAPIToken=anna@pve!full=' + full['value']})
    ok('it opens nothing', r.status == 401, r)


def disabled_and_gone():
    headers, _ = login('anna@pve', 'second-word-2')
    px.access.users('anna@pve').put(enable=0)
    r = wire('GET', '/version', headers=headers)
    ok('a disabled user\'s ticket is refused', r.status == 401, r)
    px.access.users('anna@pve').delete()
    px.access.groups('lab').delete()
    px.access.roles('Looker').delete()
    text = json.dumps([px.access.users.get(), px.access.groups.get(), px.access.acl.get(), px.access.roles.get()])
    ok('nothing of them is left', not any(w in text for w in ('anna', '"lab"', 'Looker')), text)
    raises('an unknown user', 500, 'no such user', lambda: px.access.users('anna@pve').get())


run(tickets, csrf, refused, users, roles_and_acl, tokens, disabled_and_gone)
