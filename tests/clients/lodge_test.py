# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared by the client tests: TAP lines, connections, requests seen on the wire, waiting for tasks.
The environment says where the node is: LODGE_HOST, LODGE_NODE, LODGE_USER, LODGE_PASSWORD; LODGE_IN is
a program that runs its arguments on the node itself."""
import http.client
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import traceback
import urllib.parse

import urllib3
from proxmoxer import ProxmoxAPI
from proxmoxer.core import ResourceException

urllib3.disable_warnings()
HOST = os.environ['LODGE_HOST']
PORT = int(os.environ.get('LODGE_PORT', '8006'))
NODE = os.environ['LODGE_NODE']
USER = os.environ.get('LODGE_USER', 'admin@pve')
PASSWORD = os.environ.get('LODGE_PASSWORD', '')
ROOT = '/api2/json'
failed = 0
last_reply = ''
print_lock = threading.Lock()


def say(line):
    with print_lock:
        print(line, flush=True)


def ok(text, condition, *details):
    """One TAP line; details (anything) are printed when it failed."""
    global failed
    if condition:
        say(f'ok - {text}')
        return True
    failed += 1
    lines = ''.join(f'\n# {line[:400]}' for d in details for line in str(d).splitlines()[:20])
    say(f'not ok - {text}{lines}')
    return False


def same(text, got, expected):
    return ok(text, got == expected and type(got) is type(expected), f'expected {expected!r}',
              f'got      {got!r}')


def unchanged(text, take, before, seconds=5):
    """take() gives lines; they must come back to what they were."""
    wait_for(seconds, lambda: take() == before)
    now = take()
    return ok(text, now == before, *[f'- {x}' for x in before if x not in now], *[f'+ {x}' for x in now if x not in before])


def raises(text, status, contains, call):
    """call() must be refused with this status and a message or error text that contains this."""
    try:
        result = call()
    except ResourceException as e:
        told = f'{e.content} {last_reply}'
        return ok(text, e.status_code == status and contains in told, f'{e.status_code} {told}')
    return ok(text, False, f'was allowed: {result!r}')


def finish():
    sys.exit(1 if failed else 0)


def run(*tests):
    """Each test on its own: one that throws is one failure, the others still run."""
    for test in tests:
        try:
            test()
        except Exception:
            ok(f'{test.__name__} ran to its end', False, traceback.format_exc())
    finish()


def connect(user=None, password=None, **more):
    if 'token_value' not in more:
        more['password'] = password or PASSWORD
    px = ProxmoxAPI(HOST, port=PORT, user=user or USER, verify_ssl=False, timeout=20, **more)
    px._store['session'].hooks['response'].append(remember)
    return px


def remember(response, *args, **kwargs):
    """proxmoxer 1.2 looks for "errors" inside of "data" and so loses them: the body itself."""
    global last_reply
    last_reply = response.json().get('errors', '') if response.status_code >= 400 else ''


class Reply:
    def __init__(self, response):
        self.status, self.reason = response.status, response.reason
        self.headers, self.raw = response.headers, response.read()
        try:
            self.json = json.loads(self.raw)
        except ValueError:
            self.json = None

    @property
    def data(self):
        return self.json['data'] if self.json else None

    @property
    def errors(self):
        return (self.json or {}).get('errors', {})

    def __str__(self):
        return f'{self.status} {self.reason!r} {self.raw[:600]!r}'


def context():
    c = ssl.create_default_context()
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    return c


def wire(verb, path, params=None, headers=None, body=None, json_body=None, root=ROOT):
    """One request on a connection of its own, answered as it is on the wire."""
    connection = http.client.HTTPSConnection(HOST, PORT, timeout=20, context=context())
    headers = dict(headers or {})
    if json_body is not None:
        body = json.dumps(json_body)
        headers.setdefault('Content-Type', 'application/json')
    elif params is not None and verb in ('POST', 'PUT'):
        body = urllib.parse.urlencode(params, doseq=True)
        headers.setdefault('Content-Type', 'application/x-www-form-urlencoded')
    elif params is not None:
        path += '?' + urllib.parse.urlencode(params, doseq=True)
    try:
        connection.request(verb, root + path, body=body, headers=headers)
        return Reply(connection.getresponse())
    finally:
        connection.close()


def login(user=None, password=None):
    """(headers of a session with CSRF token, the data of the answer)"""
    r = wire('POST', '/access/ticket', {'username': user or USER, 'password': password or PASSWORD})
    if r.status != 200:
        raise RuntimeError(f'login: {r}')
    cookie = 'PVEAuthCookie=' + urllib.parse.quote(r.data['ticket'], safe='')
    return {'Cookie': cookie, 'CSRFPreventionToken': r.data['CSRFPreventionToken']}, r.data


def on_node(*command, check=True, text_input=None, timeout=60):
    p = subprocess.run([os.environ['LODGE_IN'], *command], capture_output=True, text=True, timeout=timeout,
                       input=text_input)
    if check and p.returncode != 0:
        raise RuntimeError(f'{command}: {p.returncode} {p.stdout} {p.stderr}')
    return p.stdout.strip() if check else p


def inside(vmid, *command, check=True):
    """Runs a program in a container."""
    return on_node('lxc-attach', '-P', '/run/lodge/ct', '-n', str(vmid), '--', *command, check=check)


def wait_for(seconds, condition, every=0.2):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(every)


def wait_task(px, upid, seconds=60):
    """The exit status, after the task ended."""
    def ended():
        status = px.nodes(NODE).tasks(upid).status.get()
        return status if status['status'] == 'stopped' else None
    status = wait_for(seconds, ended)
    return status['exitstatus'] if status else 'still running'


def task_log(px, upid):
    return [line['t'] for line in px.nodes(NODE).tasks(upid).log.get(limit=500)]


def task_ok(text, px, upid, seconds=60):
    result = wait_task(px, upid, seconds)
    return ok(text, result == 'OK', result, *(task_log(px, upid) if result != 'OK' else []))
