# SPDX-License-Identifier: GPL-2.0-or-later
"""A Lodge node in a folder of its own: its processes, frames to its core, requests to its gate."""
import http.client
import json
import os
import secrets
import signal
import socket
import ssl
import struct
import subprocess
import time
import urllib.parse

NAME = 'bench'
PORT = 8006
OP_API, OP_STORE_TXN = 1, 3
TXN_PARTS = 200
KEEP_SECONDS = 10


def fields_encode(fields):
    out = struct.pack('<H', len(fields))
    for name, value in fields:
        name, value = name.encode(), value if isinstance(value, bytes) else str(value).encode()
        out += struct.pack('<H', len(name)) + name + struct.pack('<I', len(value)) + value
    return out


def fields_decode(data, at):
    (count,) = struct.unpack_from('<H', data, at)
    at, out = at + 2, {}
    for _ in range(count):
        (n,) = struct.unpack_from('<H', data, at)
        name = data[at + 2:at + 2 + n].decode()
        at += 2 + n
        (n,) = struct.unpack_from('<I', data, at)
        out[name] = data[at + 4:at + 4 + n].decode()
        at += 4 + n
    return out, at


class Frames:
    """One connection to core.sock; one call at a time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.last = 0

    def _read(self, size):
        data = b''
        while len(data) < size:
            part, fds, _, _ = socket.recv_fds(self.socket, size - len(data), 4)
            for fd in fds:
                os.close(fd)
            if not part:
                raise EOFError('the core closed the connection')
            data += part
        return data

    def call(self, op, head, params):
        self.last += 1
        payload = struct.pack('<IH', 60000, op) + fields_encode(head) + fields_encode(params)
        self.socket.sendall(struct.pack('<IBBBBQ', len(payload), 1, 0, 1, 0, self.last) + payload)
        while True:
            length, kind, _, _, _, ident = struct.unpack('<IBBBBQ', self._read(16))
            data = self._read(length)
            if kind == 2 and ident == self.last:
                break
        (status,) = struct.unpack_from('<H', data, 0)
        head, at = fields_decode(data, 3)
        if status != 200:
            text = head.get('message') or data[at:].decode(errors='replace') or head.get('reason')
            raise RuntimeError(f'the core answered {status}: {text}')
        return data[at:]


class Node:
    def __init__(self):
        work = os.environ['BENCH_WORK']
        self.work = work
        self.state, self.run = f'{work}/state', '/run/lodge'
        self.env = dict(os.environ, LODGE_STATE_DIR=self.state, LODGE_RUN_DIR=self.run,
                        LODGE_NODE=NAME, LODGE_PORT=str(PORT))
        self.daemons = {}
        self.token = None
        self.connection, self.last_use = None, 0

    # ---- processes ----

    def _spawn(self, program):
        log = open(f'{self.work}/{program}.log', 'ab')
        self.daemons[program] = subprocess.Popen(
            [f"{os.environ['LODGE_LIBEXEC_DIR']}/{program}"], env=self.env, stdout=log, stderr=log,
            stdin=subprocess.DEVNULL, start_new_session=True)

    def _wait(self, text, condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            for name, process in self.daemons.items():
                if process.poll() is not None:
                    with open(f'{self.work}/{name}.log') as f:
                        raise RuntimeError(f'{name} ended: {f.read()[-2000:]}')
            if time.monotonic() > end:
                raise RuntimeError(f'{text}: not within {seconds} s')
            time.sleep(0.02)

    def __enter__(self):
        os.makedirs(self.state, exist_ok=True)
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        self._spawn('lodged')
        self._wait('the core', self._accepts)
        self._wait('certificate', lambda: os.path.exists(f'{self.state}/tls/gate.pem'))
        self._spawn('lodge-gate')
        self._spawn('lodge-monitor')
        self.token = self.make_token('root@pam', 'bench')
        self._wait('HTTPS', self._answers)

    def _accepts(self):
        try:
            self.frames = Frames(f'{self.run}/core.sock')
            return True
        except OSError:
            return False

    def _answers(self):
        try:
            self.get('/version')
            return True
        except (OSError, http.client.HTTPException):
            return False

    def __exit__(self, *_):
        self.disconnect()
        for process in self.daemons.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.daemons.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def dnsmasq_pid(self):
        try:
            with open(f'{self.run}/dnsmasq.pid') as f:
                return int(f.read())
        except (OSError, ValueError):
            return 0

    def pids(self):
        """name -> pid of every process that Lodge keeps running, dnsmasq of its network included."""
        out = {name: p.pid for name, p in self.daemons.items()}
        if self.dnsmasq_pid():
            out['dnsmasq'] = self.dnsmasq_pid()
        return out

    # ---- the core, as root ----

    def api(self, verb, path, params):
        head = [('verb', verb), ('path', path), ('source', 'cli')]
        return json.loads(self.frames.call(OP_API, head, list(params.items())))['data']

    def make_token(self, user, name):
        data = self.api('POST', f'/access/users/{user}/token/{name}', {'privsep': '0'})
        return f"{data['full-tokenid']}={data['value']}"

    def put(self, pairs):
        """Writes store values, a few hundred in a transaction."""
        pairs = list(pairs)
        for at in range(0, len(pairs), TXN_PARTS):
            head = [('id', secrets.token_hex(16)), ('who', 'root@pam')]
            parts = [('put', f'{path}\n{text}') for path, text in pairs[at:at + TXN_PARTS]]
            self.frames.call(OP_STORE_TXN, head, parts)

    def define(self, first, count):
        """Guests that exist in the store alone."""
        self.put((f'/nodes/{NAME}/lxc/{vmid}.conf', guest_text(vmid))
                 for vmid in range(first, first + count))

    # ---- the gate ----

    def headers(self, token=None):
        return {'Authorization': f'PVEAPIToken={token or self.token}'}

    def connect(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.connection = http.client.HTTPSConnection('127.0.0.1', PORT, timeout=60, context=context)
        self.connection.connect()

    def disconnect(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def request(self, verb, path, params=None, token=None):
        """One request on a connection that is kept; the body of its answer."""
        headers, body = self.headers(token), None
        if params:
            body = urllib.parse.urlencode(params)
            headers['Content-Type'] = 'application/x-www-form-urlencoded'
        if time.monotonic() - self.last_use > KEEP_SECONDS:  # the gate may have ended it
            self.disconnect()
        if not self.connection:
            self.connect()
        try:
            self.connection.request(verb, f'/api2/json{path}', body, headers)
            answer = self.connection.getresponse()
            data = answer.read()
        except Exception:
            self.disconnect()
            raise
        self.last_use = time.monotonic()
        if answer.status != 200:
            raise RuntimeError(f'{verb} {path}: {answer.status} {answer.reason} {data[:500]}')
        return data

    def get(self, path):
        return json.loads(self.request('GET', path))['data']

    def post(self, path, **params):
        return json.loads(self.request('POST', path, params))['data']

    def delete(self, path):
        return json.loads(self.request('DELETE', path))['data']

    def task(self, upid, poll=0.01):
        """Waits for a task's end, as a client does."""
        path = f'/nodes/{NAME}/tasks/{urllib.parse.quote(upid)}/status'
        while True:
            status = self.get(path)
            if status['status'] == 'stopped':
                break
            time.sleep(poll)
        if status.get('exitstatus') != 'OK' and not str(status.get('exitstatus')).startswith('WARN'):
            raise RuntimeError(f"task {upid}: {status.get('exitstatus')}")

    def add_template(self, source):
        folder = f'{self.state}/local/template/cache'
        os.makedirs(folder, exist_ok=True)
        subprocess.run(['cp', source, folder], check=True)
        return f'local:vztmpl/{os.path.basename(source)}'

    def create(self, vmid, template, size, **more):
        params = {'vmid': vmid, 'ostemplate': template, 'rootfs': f'local:{size}', 'unprivileged': 1,
                  'hostname': f'ct{vmid}', 'memory': 256, 'swap': 0,
                  'net0': 'name=eth0,bridge=vmbr0,ip=dhcp', **more}
        self.task(self.post(f'/nodes/{NAME}/lxc', **params))

    def start(self, vmid):
        self.task(self.post(f'/nodes/{NAME}/lxc/{vmid}/status/start'))

    def stop(self, vmid):
        self.task(self.post(f'/nodes/{NAME}/lxc/{vmid}/status/stop'))

    def image(self, vmid):
        folder = f'{self.state}/local/images/{vmid}'
        return f'{folder}/{os.listdir(folder)[0]}'


def guest_text(vmid, description=''):
    note = f'#{description}\n' if description else ''
    return (f'{note}arch: amd64\ncores: 2\nhostname: ct{vmid}\nmemory: 1024\nnet0: name=eth0,bridge=vmbr0,'
            f'hwaddr=BC:24:11:{vmid >> 16 & 255:02X}:{vmid >> 8 & 255:02X}:{vmid & 255:02X},ip=dhcp,'
            f'type=veth\nonboot: 0\nostype: debian\nrootfs: local:{vmid}/vm-{vmid}-disk-0.raw,size=8G\n'
            'swap: 512\ntags: bench;web\nunprivileged: 1\n')
