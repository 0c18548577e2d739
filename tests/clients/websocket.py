# SPDX-License-Identifier: GPL-2.0-or-later
"""A small WebSocket client over TLS: what the console test needs, and nothing else (RFC 6455)."""
import base64
import hashlib
import os
import socket
import struct
import time
import urllib.parse

from lodge_test import HOST, PORT, ROOT, context

GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(f'{status} {text}')
        self.status, self.text = status, text


class WebSocket:
    def __init__(self, path, params, headers=None, timeout=20):
        self.socket = context().wrap_socket(socket.create_connection((HOST, PORT), timeout))
        self.data = b''
        self.seen = b''
        self.is_closed = False
        key = base64.b64encode(os.urandom(16)).decode()
        lines = {'Host': f'{HOST}:{PORT}', 'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Version': '13',
                 'Sec-WebSocket-Key': key, 'Sec-WebSocket-Protocol': 'binary', **(headers or {})}
        self.socket.sendall(f'GET {ROOT}{path}?{urllib.parse.urlencode(params)} HTTP/1.1\r\n'.encode() +
                            ''.join(f'{k}: {v}\r\n' for k, v in lines.items()).encode() + b'\r\n')
        while b'\r\n\r\n' not in self.data:
            self.fill()
        head, self.data = self.data.split(b'\r\n\r\n', 1)
        status, *rest = head.decode().split('\r\n')
        self.headers = {k.lower(): v for k, v in (line.split(': ', 1) for line in rest)}
        if status.split()[1] != '101':
            raise Refused(int(status.split()[1]), status)
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        assert self.headers['sec-websocket-accept'] == accept, self.headers

    def fill(self):
        part = self.socket.recv(65536)
        if not part:
            raise EOFError('the connection ended')
        self.data += part

    def take(self, size):
        while len(self.data) < size:
            self.fill()
        part, self.data = self.data[:size], self.data[size:]
        return part

    def send(self, data, kind=BINARY):
        mask = os.urandom(4)
        size = len(data)
        head = bytes([0x80 | kind])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += struct.pack('>BH', 0x80 | 126, size)
        else:
            head += struct.pack('>BQ', 0x80 | 127, size)
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        """One frame: its kind and its data."""
        first, size = self.take(2)
        if size == 126:
            size, = struct.unpack('>H', self.take(2))
        elif size == 127:
            size, = struct.unpack('>Q', self.take(8))
        return first & 15, self.take(size)

    def expect(self, text, seconds=15):
        """Reads until the stream has said this, behind what was expected before."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            self.socket.settimeout(max(0.1, end - time.monotonic()))
            kind, data = self.receive()
            if kind == PING:
                self.send(data, PONG)
            elif kind == CLOSE:
                self.is_closed = True
                raise EOFError(f'closed before {text!r}: {self.seen[-500:]!r}')
            else:
                self.seen += data
        self.seen = self.seen.split(text, 1)[1]

    def type(self, text):
        self.send(f'0:{len(text.encode())}:{text}'.encode())

    def close(self):
        try:
            self.send(struct.pack('>H', 1000), CLOSE)
        except OSError:
            pass
        self.socket.close()
