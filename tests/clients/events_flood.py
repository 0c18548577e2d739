#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs on a node, as root: tells the core, as jobs do, that guests run and stop. Arguments: how often in all,
then the guests' ids. Each is stopped in the end. Waits for each answer, so the core applies them one by one."""
import socket
import struct
import sys

COUNT, GUESTS = int(sys.argv[1]), sys.argv[2:]
CALL, REPLY, GUEST_STATE = 1, 2, 4


def fields(pairs):
    out = struct.pack('<H', len(pairs))
    for name, value in pairs:
        name, value = name.encode(), value.encode()
        out += struct.pack('<H', len(name)) + name + struct.pack('<I', len(value)) + value
    return out


def call(ident, head):
    payload = struct.pack('<IH', 0, GUEST_STATE) + fields(head) + fields([])
    return struct.pack('<IBBBBQ', len(payload), CALL, 0, 1, 0, ident) + payload


core = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
core.connect('/run/lodge/core.sock')
answers = core.makefile('rb')
for i in range(COUNT):
    state = 'running' if i + len(GUESTS) < COUNT and i // len(GUESTS) % 2 == 0 else 'stopped'
    core.sendall(call(i + 1, [('vmid', GUESTS[i % len(GUESTS)]), ('state', state)]))
    length, kind, _, _, _, ident = struct.unpack('<IBBBBQ', answers.read(16))
    payload = answers.read(length)
    assert kind == REPLY and ident == i + 1 and struct.unpack_from('<H', payload)[0] == 200, payload
