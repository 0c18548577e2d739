#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Consoles over HTTPS and WebSocket, with tickets made through proxmoxer. Arguments: VMID, volume id of a busybox
template."""
from lodge_test import *
from websocket import TEXT, Refused, WebSocket

VMID, TEMPLATE = int(sys.argv[1]), sys.argv[2]
px = connect()
node = px.nodes(NODE)
ct = node.lxc(VMID)
STREAM = f'/nodes/{NODE}/lxc/{VMID}/vncwebsocket'
session, _ = login()
COOKIE = {'Cookie': session['Cookie']}


def stream(opened, headers=COOKIE, **changed):
    return WebSocket(STREAM, {'port': opened['port'], 'vncticket': opened['ticket'], **changed}, headers)


def refused(text, status, opened, headers=COOKIE, **changed):
    try:
        stream(opened, headers, **changed).close()
    except Refused as e:
        return ok(text, e.status == status, e)
    return ok(text, False, 'was allowed')


def enter(ws, opened):
    ws.send(f'{opened["user"]}:{opened["ticket"]}\n'.encode())
    ws.expect(b'OK')


def ended(upid):
    return task_ok('its task ends OK', px, upid, 15)


def make():
    task_ok('a container', px, node.lxc.post(vmid=VMID, ostemplate=TEMPLATE, rootfs='local:0.125', memory=64,
                                             password='inner-word-1', hostname='cons', start=1))
    ok('it runs', wait_for(20, lambda: ct.status.current.get()['status'] == 'running'))


def terminal():
    opened = ct.termproxy.post()
    ok('port', 5900 <= int(opened['port']) <= 5999, opened)
    ok('ticket', opened['ticket'].startswith('PVEVNC:'), opened)
    same('user', opened['user'], USER)
    ok('upid', ':vncproxy:' in opened['upid'], opened)
    ws = stream(opened)
    same('subprotocol', ws.headers.get('sec-websocket-protocol'), 'binary')
    enter(ws, opened)
    ws.send(b'1:91:31:')
    ws.type('\r')
    ws.expect(b'login: ')
    ws.type('root\r')
    ws.expect(b'Password: ')
    ws.type('inner-word-1\r')
    ws.expect(b'# ')
    ws.send(b'2')
    ws.type('stty size\r')
    ws.expect(b'31 91')
    ws.send(b'0:17:echo te$((1+1))t\r', TEXT)
    ws.expect(b'te2t')
    ok('a session by keyboard', True)
    ws.type('exit\r')
    ws.expect(b'login: ')
    refused('a ticket is good once', 401, opened)
    ws.close()
    ended(opened['upid'])


def tickets():
    opened = ct.termproxy.post()
    other = ct.termproxy.post()
    refused('without a log-in', 401, opened, {})
    refused('a forged ticket', 401, opened, vncticket=opened['ticket'][:-4] + 'AAA=')
    refused('the ticket of another port', 401, opened, port=other['port'])
    r = wire('GET', STREAM, {'port': opened['port'], 'vncticket': opened['ticket']}, COOKIE)
    ok('no WebSocket', r.status == 400, r)
    ws = stream(opened)
    ws.send(b'root@pam:nonsense\n')
    try:
        ws.expect(b'OK', 10)
        ok('a wrong first line', False, 'was taken')
    except EOFError:
        ok('a wrong first line', True)
    result = wait_task(px, opened['upid'], 15)
    ok('its task says so', 'refused' in result, result)
    stream(other).close()
    ended(other['upid'])


def greet(ws):
    """Shakes hands as RFB does; the screen's size."""
    ws.expect(b'RFB 003.008\n')
    ws.send(b'RFB 003.008\n')
    ws.expect(b'\x01\x01')  # security type None, and no other
    ws.send(b'\x01')
    ws.expect(bytes(4))
    ws.send(b'\x01')
    ws.expect(f'CT {VMID}'.encode())


def drawn():
    opened = ct.vncproxy.post(websocket=1, width=640, height=160)
    ok('vncproxy: port', 5900 <= int(opened['port']) <= 5999, opened)
    ok('ticket', opened['ticket'].startswith('PVEVNC:'), opened)
    ok('certificate', opened['cert'].startswith('-----BEGIN CERTIFICATE-----'), opened)
    same('user', opened['user'], USER)
    refused('a forged ticket', 401, opened, vncticket=opened['ticket'][:-4] + 'AAA=')
    refused('without a log-in', 401, opened, {})
    ws = stream(opened)
    greet(ws)
    ok('a terminal that speaks RFB', True)
    refused('a ticket is good once', 401, opened)
    ws.close()
    ended(opened['upid'])
    raises('a width that cannot be', 400, 'width', lambda: ct.vncproxy.post(width=5000))


def api_tokens():
    made = px.access.users(USER).token('cons').post(privsep=0)
    header = {'Authorization': f'PVEAPIToken={made["full-tokenid"]}={made["value"]}'}
    r = wire('POST', f'/nodes/{NODE}/lxc/{VMID}/termproxy', {}, header)
    ok('termproxy by a token', r.status == 200, r)
    same('user is the token', r.data['user'], made['full-tokenid'])
    refused('not by its user', 401, r.data)
    good = {'authid': made['full-tokenid'], 'vncticket': r.data['ticket'], 'path': f'/vms/{VMID}', 'privs': 'VM.Console',
            'port': r.data['port']}
    ok('the ticket verifies', wire('POST', '/access/vncticket', good).status == 200)
    ok('not for another guest', wire('POST', '/access/vncticket', {**good, 'path': '/vms/999'}).status == 401)
    ws = stream(r.data, header)
    enter(ws, r.data)
    ws.type('\r')
    ws.expect(b'login: ')
    ok('stream by a token', True)
    ws.close()
    ended(r.data['upid'])
    r = wire('POST', f'/nodes/{NODE}/lxc/{VMID}/vncproxy', {'websocket': 1}, header)
    ok('vncproxy by a token', r.status == 200, r)
    refused('not by its user', 401, r.data)
    ws = stream(r.data, header)
    greet(ws)
    ok('screen by a token', True)
    ws.close()
    ended(r.data['upid'])
    px.access.users(USER).token('cons').delete()


EVE, WORD, RIGHT = 'eve@pve', 'eve-word-1', 'ConsoleAndExec'


def cut(text, ws):
    """The stream ends, whatever comes before."""
    try:
        ws.expect(b'nothing says this', 15)
    except (EOFError, OSError) as e:
        return ok(text, not isinstance(e, TimeoutError), repr(e))
    return ok(text, False, 'goes on')


def give(roles, **more):
    px.access.acl.put(path=f'/vms/{VMID}', users=EVE, roles=roles, **more)


def of_eve():
    """Her session, and a console that she has open."""
    headers, data = login(EVE, WORD)
    r = wire('POST', f'/nodes/{NODE}/lxc/{VMID}/termproxy', {}, headers)
    ok('a console of a user', r.status == 200, r)
    ws = stream(r.data, {'Cookie': headers['Cookie']})
    enter(ws, r.data)
    ws.type('\r')
    ws.expect(b'login: ')
    return headers, data['ticket'], r.data['upid'], ws


def goes_on(text, ws):
    ws.type('\r')
    ws.expect(b'login: ')
    ok(text, True)


def stopped(upid):
    result = wait_task(px, upid, 15)
    ok('its task was stopped', 'interrupted' in result, result)


def program(headers):
    """A program that does not end by itself: the answer whose body ends with it."""
    connection = http.client.HTTPSConnection(HOST, PORT, timeout=20, context=context())
    connection.request('POST', f'{ROOT}/nodes/{NODE}/lxc/{VMID}/exec', json.dumps({'command': ['sleep', '4321']}),
                       {**headers, 'Content-Type': 'application/json'})
    reply = connection.getresponse()
    ok('a program in the container', reply.status == 200, reply.status)
    ok('it runs', wait_for(10, is_program_there))
    return reply


def is_program_there():
    return 'sleep 4321' in inside(VMID, '/bin/busybox', 'ps')


def rights():
    """What is open ends with the right to it, and with nothing else."""
    px.access.roles.post(roleid=RIGHT, privs='VM.Console,VM.GuestAgent.Unrestricted')
    px.access.users.post(userid=EVE, password=WORD)
    give(RIGHT)
    headers, ticket, upid, ws = of_eve()
    r = wire('POST', '/access/ticket', {'username': EVE, 'password': ticket})
    ok('she renews her ticket', r.status == 200, r)
    px.access.users.post(userid='other@pve')
    goes_on('her console goes on, whoever else is made', ws)
    px.access.users('other@pve').delete()
    give(RIGHT, delete=1)
    cut('her console ends with her right to it', ws)
    stopped(upid)

    give(RIGHT)
    headers, _, upid, ws = of_eve()
    reply = program(headers)
    give('PVEVMUser')
    give(RIGHT, delete=1)
    ok('a program ends with the right to it', reply.read() is not None)
    ok('in the container, too', wait_for(15, lambda: not is_program_there()))
    goes_on('the console, whose right stayed, goes on', ws)
    wire('DELETE', f'/access/users/{EVE}/tickets', headers=session)
    cut('logged out everywhere: it ends', ws)
    stopped(upid)

    headers, _, upid, ws = of_eve()
    px.access.users(EVE).put(enable=0)
    cut('disabled: it ends', ws)
    stopped(upid)
    px.access.users(EVE).delete()
    px.access.roles(RIGHT).delete()


def end():
    opened = ct.termproxy.post()
    ws = stream(opened)
    enter(ws, opened)
    task_ok('stop', px, ct.status.stop.post())
    try:
        ws.expect(b'nothing says this', 15)
    except EOFError:
        ok('the stream ends with the container', True)
    ended(opened['upid'])
    raises('of a stopped one', 500, f'CT {VMID} not running', lambda: ct.termproxy.post())
    task_ok('destroy', px, ct.delete())


run(make, terminal, drawn, tickets, api_tokens, rights, end)
