#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A core that only knows the store and guest states: enough to run container jobs alone.

usage: ct_stub_core.py SOCKET STORE_DIR STATES_FILE
Values are files below STORE_DIR (store path = relative path). Versions count up. Every
CALL_GUEST_STATE becomes a line "name=value …" in STATES_FILE. Prints "ready" when listening.
With "call:N" in the file want of the folder CT_STEPS the Nth call from then on is answered only once
the file hold there is gone (ct_lib.sh: kill_at)."""
import os
import socket
import struct
import sys
import threading
import time

sock_path, store, states = sys.argv[1:4]
lock = threading.Lock()
counter = [1]
versions = {}


def fields_decode(data, at):
    (count,) = struct.unpack_from('<H', data, at)
    at += 2
    out = []
    for _ in range(count):
        (n,) = struct.unpack_from('<H', data, at)
        name = data[at + 2:at + 2 + n].decode()
        at += 2 + n
        (n,) = struct.unpack_from('<I', data, at)
        out.append((name, data[at + 4:at + 4 + n]))
        at += 4 + n
    return out, at


def fields_encode(fields):
    out = struct.pack('<H', len(fields))
    for name, value in fields:
        name, value = name.encode(), value if isinstance(value, bytes) else str(value).encode()
        out += struct.pack('<H', len(name)) + name + struct.pack('<I', len(value)) + value
    return out


def file_of(path):
    return os.path.join(store, path.lstrip('/'))


def version_of(path):
    if not os.path.exists(file_of(path)):
        return 0
    return versions.setdefault(path, counter[0])


def store_get(head):
    path = dict(head)['path'].decode()
    if version_of(path) == 0:
        return 404, [('message', f"'{path}' does not exist")], b''
    with open(file_of(path), 'rb') as f:
        return 200, [('version', version_of(path))], f.read()


def store_txn(params):
    for name, value in params:
        if name == 'require':
            version, path = value.decode().split(' ', 1)
            if version_of(path) != int(version):
                return 409, [('path', path), ('message', 'changed')], b''
    counter[0] += 1
    for name, value in params:
        if name == 'put':
            path, data = value.split(b'\n', 1)
            path = path.decode()
            os.makedirs(os.path.dirname(file_of(path)), exist_ok=True)
            with open(file_of(path) + '.new', 'wb') as f:
                f.write(data)
            os.rename(file_of(path) + '.new', file_of(path))
            versions[path] = counter[0]
        elif name == 'delete':
            path = value.decode()
            os.unlink(file_of(path))
            versions.pop(path, None)
    return 200, [('version', counter[0])], b''


def guest_state(head):
    with open(states, 'a') as f:
        f.write(' '.join(f'{n}={v.decode()}' for n, v in head) + '\n')
    return 200, [], b''


def answer(op, head, params):
    with lock:
        if op == 2:
            return store_get(head)
        if op == 3:
            return store_txn(params)
        if op == 4:
            return guest_state(head)
        return 501, [('message', 'not served')], b''


def take_step():
    """Is this the call to stop at? Counts down."""
    want = os.path.join(os.environ.get('CT_STEPS', '/nonexistent'), 'want')
    with lock:
        try:
            with open(want) as f:
                kind, _, number = f.read().strip().partition(':')
        except FileNotFoundError:
            return False
        if kind != 'call':
            return False
        if int(number) > 1:
            with open(want, 'w') as f:
                f.write(f'call:{int(number) - 1}')
            return False
        os.unlink(want)
        return True


def hold():
    steps = os.environ['CT_STEPS']
    open(os.path.join(steps, 'at'), 'w').close()
    while os.path.exists(os.path.join(steps, 'hold')):
        time.sleep(0.01)


def read_exactly(conn, size):
    data = b''
    while len(data) < size:
        try:
            part = conn.recv(size - len(data))
        except ConnectionResetError:  # the job was killed
            part = b''
        if not part:
            return None
        data += part
    return data


def serve(conn):
    while header := read_exactly(conn, 16):
        length, kind, _, _, _, ident = struct.unpack('<IBBBBQ', header)
        payload = read_exactly(conn, length)
        if kind != 1:
            continue
        _, op = struct.unpack_from('<IH', payload, 0)
        head, at = fields_decode(payload, 6)
        params, _ = fields_decode(payload, at)
        is_step = take_step()
        if is_step:
            hold()
        status, reply_head, body = answer(op, head, params)
        if is_step:
            open(os.path.join(os.environ['CT_STEPS'], 'answered'), 'w').close()
        reply = struct.pack('<HB', status, 0) + fields_encode(reply_head) + body
        try:
            conn.sendall(struct.pack('<IBBBBQ', len(reply), 2, 0, 1, 0, ident) + reply)
        except OSError:  # the job was killed
            break
    conn.close()


server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(sock_path)
server.listen(16)
print('ready', flush=True)
while True:
    connection, _ = server.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
