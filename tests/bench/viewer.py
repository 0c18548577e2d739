# SPDX-License-Identifier: GPL-2.0-or-later
"""Viewers for figures: a console over the gate's WebSocket, and the screen of a machine (RFB, raw pixels)."""
import base64
import os
import socket
import ssl
import struct
import urllib.parse

from node import NAME, PORT


class Plain:
    """Bytes of a socket."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        self.socket.sendall(data)

    def some(self):
        part = self.socket.recv(262144)
        if not part:
            raise EOFError('the stream ended')
        return part

    def close(self):
        self.socket.close()


class WebSocket(Plain):
    """Bytes of the messages of a guest's console."""

    def __init__(self, node, guest, opened):
        super().__init__(('127.0.0.1', PORT))
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)
        self.data = bytearray()
        self.left = 0  # of the message that is being read
        query = urllib.parse.urlencode({'port': opened['port'], 'vncticket': opened['ticket']})
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f'GET /api2/json/nodes/{NAME}/{guest}/vncwebsocket?{query} HTTP/1.1', f'Host: 127.0.0.1:{PORT}',
                 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', f'Sec-WebSocket-Key: {key}',
                 'Sec-WebSocket-Protocol: binary', *(f'{k}: {v}' for k, v in node.headers().items())]
        self.socket.sendall('\r\n'.join([*lines, '', '']).encode())
        while b'\r\n\r\n' not in self.data:
            self._fill()
        head, self.data = self.data.split(b'\r\n\r\n', 1)
        if not head.startswith(b'HTTP/1.1 101 '):
            raise RuntimeError((head + self.data).decode(errors='replace'))

    def _fill(self):
        self.data += super().some()

    def send(self, data):
        mask = b'\x37\xfa\x21\x3d'
        head = struct.pack('>BB', 0x82, 0x80 | len(data)) if len(data) < 126 else struct.pack('>BBH', 0x82, 0xfe, len(data))
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def _header(self):
        while len(self.data) < 10 and (len(self.data) < 2 or len(self.data) < 2 + {126: 2, 127: 8}.get(self.data[1], 0)):
            self._fill()
        size, at = self.data[1], 2
        if size == 126:
            size, at = struct.unpack_from('>H', self.data, 2)[0], 4
        elif size == 127:
            size, at = struct.unpack_from('>Q', self.data, 2)[0], 10
        kind = self.data[0] & 15
        del self.data[:at]
        return kind, size

    def some(self):
        while self.left == 0:
            kind, self.left = self._header()
            if kind == 8:
                raise EOFError('the stream was closed')
            while kind == 9 and self.left:  # a ping; these viewers are gone before an answer is missed
                if not self.data:
                    self._fill()
                cut = min(self.left, len(self.data))
                self.left -= cut
                del self.data[:cut]
        if not self.data:
            self._fill()
        part = bytes(self.data[:self.left])
        self.left -= len(part)
        del self.data[:len(part)]
        return part


class Reader:
    """Exact amounts and texts of a stream."""

    def __init__(self, stream):
        self.stream, self.data = stream, bytearray()

    def take(self, size):
        while len(self.data) < size:
            self.data += self.stream.some()
        part = bytes(self.data[:size])
        del self.data[:size]
        return part

    def skip(self, size):
        while size > len(self.data):
            size -= len(self.data)
            self.data = bytearray(self.stream.some())
        del self.data[:size]

    def until(self, text):
        while text not in self.data:
            self.data += self.stream.some()
        del self.data[:self.data.index(text) + len(text)]


class Screen:
    def __init__(self, stream):
        self.stream, self.reader = stream, Reader(stream)
        self.reader.take(12)
        stream.send(b'RFB 003.008\n')
        kinds = self.reader.take(self.reader.take(1)[0])
        if 1 not in kinds:
            raise RuntimeError(f'security types {list(kinds)}')
        stream.send(b'\x01')
        if self.reader.take(4) != bytes(4):
            raise RuntimeError('refused')
        stream.send(b'\x01')
        self.width, self.height = struct.unpack('>HH', self.reader.take(4))
        self.depth = self.reader.take(16)[0] // 8
        self.reader.take(struct.unpack('>I', self.reader.take(4))[0])
        stream.send(struct.pack('>BxHi', 2, 1, 0))  # raw pixels only

    def frame(self):
        """Reads a whole screen; its bytes."""
        self.stream.send(struct.pack('>BBHHHH', 3, 0, 0, 0, self.width, self.height))
        missing, total = self.width * self.height, 0
        while missing > 0:
            kind = self.reader.take(1)[0]
            if kind == 2:
                continue
            if kind:
                raise RuntimeError(f'message {kind}')
            for _ in range(struct.unpack('>xH', self.reader.take(3))[0]):
                _, _, w, h, coding = struct.unpack('>HHHHi', self.reader.take(12))
                if coding:
                    raise RuntimeError(f'coding {coding}')
                self.reader.skip(w * h * self.depth)
                missing -= w * h
                total += w * h * self.depth
        return total
