#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An echo of 4 kB over a WebSocket of the gate, in its sandbox, beside a plain TLS echo server. The gate's way is
longer by two hops: a Unix socket to a `cat`, and back."""
import base64
import os
import socket
import ssl
import struct
import subprocess
import time

from measure import Others, goal, median, runs, say
from node import Node
from stub_core import StubCore

GATE_PORT, PEER_PORT = 8007, 8444
SIZE, ECHOES, ROUNDS, GOAL_MS = 4096, 3000, 5, 2
HERE = os.path.dirname(os.path.abspath(__file__))


def connect(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    end = time.monotonic() + 20
    while True:
        try:
            plain = socket.create_connection(('127.0.0.1', port), timeout=20)
            break
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain)


def websocket(port):
    tls = connect(port)
    key = base64.b64encode(os.urandom(16)).decode()
    tls.sendall(f'GET /api2/json/echo HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                f'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n'.encode())
    head = b''
    while b'\r\n\r\n' not in head:
        part = tls.recv(4096)
        if not part:
            raise EOFError('the gate closed the connection')
        head += part
    if not head.startswith(b'HTTP/1.1 101 '):
        raise RuntimeError(head.decode(errors='replace'))
    return tls


def echoes(tls, message, answer_size):
    """Milliseconds of each, sorted."""
    times, buffer = [], bytearray(65536)
    for _ in range(ECHOES):
        began, left = time.perf_counter(), answer_size
        tls.sendall(message)
        while left > 0:
            got = tls.recv_into(buffer)
            if not got:
                raise EOFError('the echo ended')
            left -= got
        times.append((time.perf_counter() - began) * 1e3)
    return sorted(times)


def masked(data):
    mask = b'\x37\xfa\x21\x3d'
    body = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
    return struct.pack('>BBH', 0x82, 0xfe, len(data)) + mask + body


def measure(sides):
    results = {side: [] for side in sides}
    with Others([]) as others:
        for _ in range(ROUNDS):
            for side, arguments in sides.items():
                results[side].append(echoes(*arguments))
    medians = {side: [median(r) for r in results[side]] for side in sides}
    p99 = {side: median(r[len(r) * 99 // 100] for r in results[side]) for side in sides}
    lodge, peer = median(medians['lodge']), median(medians['peer'])
    say('echo', f'{SIZE} bytes over a WebSocket: {lodge:.3f} ms ({goal(lodge, GOAL_MS, " ms")}), '
        f"runs {runs(medians['lodge'], '{:.3f}')}, p99 {p99['lodge']:.3f} ms")
    ratios = [a / b for a, b in zip(medians['lodge'], medians['peer'])]
    say('', f"plain TLS echo {peer:.3f} ms, p99 {p99['peer']:.3f} ms: {median(ratios):.1f} times, "
        f"runs {runs(ratios, '{:.1f}')}; cores used in all but by the client {others.cores:.1f}")


def start_peer(work, tls):
    program = f'{work}/echo_peer'
    subprocess.run(['cc', '-O2', '-o', program, f'{HERE}/echo_peer.c', '-lgnutls'], check=True)
    return subprocess.Popen([program, str(PEER_PORT), f'{tls}/gate.pem', f'{tls}/gate.key'])


def start_gate(node, run):
    env = dict(node.env, LODGE_RUN_DIR=run, LODGE_PORT=str(GATE_PORT))
    with open(f'{node.work}/gate.log', 'ab') as log:
        return subprocess.Popen([f"{os.environ['LODGE_LIBEXEC_DIR']}/lodge-gate"], env=env, stdout=log, stderr=log)


def main():
    with Node() as node:
        run = f'{node.work}/stub'
        os.mkdir(run, 0o755)
        with StubCore(run):
            daemons = [start_gate(node, run), start_peer(node.work, f'{node.state}/tls')]
            try:
                with websocket(GATE_PORT) as ours, connect(PEER_PORT) as plain:
                    data = os.urandom(SIZE)
                    measure({'peer': (plain, data, SIZE), 'lodge': (ours, masked(data), SIZE + 4)})
            finally:
                for process in daemons:
                    process.terminate()
                    process.wait()


main()
