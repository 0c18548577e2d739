# SPDX-License-Identifier: GPL-2.0-or-later
"""A core that answers each call of a gate with a stream: its other end is a `cat` of its own."""
import os
import socket
import struct
import subprocess
import threading

from node import fields_encode

REPLY = 2


class StubCore:
    def __init__(self, run):
        self.path = f'{run}/gate.sock'
        self.guests = []

    def __enter__(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self):
        while True:
            try:
                gate, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(gate,), daemon=True).start()

    def _serve(self, gate):
        with gate:
            while True:
                head = gate.recv(16, socket.MSG_WAITALL)
                if len(head) < 16:
                    return
                length, kind, _, _, _, ident = struct.unpack('<IBBBBQ', head)
                gate.recv(length, socket.MSG_WAITALL)
                if kind == 1:
                    self._answer(gate, ident)

    def _answer(self, gate, ident):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self.guests.append(subprocess.Popen(['cat'], stdin=ours, stdout=ours))
            payload = struct.pack('<HB', 101, 0) + fields_encode([('content-type', 'websocket')])
            header = struct.pack('<IBBBBQ', len(payload), REPLY, 1, 1, 0, ident)
            socket.send_fds(gate, [header + payload], [theirs.fileno()])

    def __exit__(self, *_):
        self.listener.close()
        for guest in self.guests:
            guest.wait(10)
