#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A key's echo on a container's console over the gate, beside a bare pty; a machine's screen over the gate,
beside a VNC client that is connected directly."""
import os
import pty
import re
import subprocess
import time

import machine
from measure import Others, median, runs, say
from node import NAME, Node
from peer import template
from viewer import Plain, Reader, Screen, WebSocket

CT, VM, KEYS, ROUNDS, SECONDS, SETTLE = 100, 200, 300, 5, 3, 8
# SETTLE: the firmware has nothing to boot from and then leaves its screen as it is
PASSWORD, DIRECT_PORT = 'open-sesame-9', 5977


class Terminal:
    """termproxy: a log-in line, then frames of keys; what comes back is the terminal's."""

    def __init__(self, node):
        guest = f'lxc/{CT}'
        opened = node.post(f'/nodes/{NAME}/{guest}/termproxy')
        self.stream = WebSocket(node, guest, opened)
        self.reader = Reader(self.stream)
        self.stream.send(f"{opened['user']}:{opened['ticket']}\n".encode())
        self.reader.until(b'OK')

    def type(self, text):
        self.stream.send(f'0:{len(text)}:{text}'.encode())

    def close(self):
        self.stream.close()


class Pty(Plain):
    """A terminal of this machine's, with nothing in between."""

    def __init__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvp('sh', ['sh', '-c', 'echo here; exec cat'])
        self.reader = Reader(self)
        self.reader.until(b'here\r\n')

    def some(self):
        return os.read(self.fd, 65536)

    def type(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def log_in(terminal):
    terminal.type('\r')
    terminal.reader.until(b'login: ')
    terminal.type('root\r')
    terminal.reader.until(b'assword: ')
    terminal.type(f'{PASSWORD}\r')
    terminal.reader.until(b'# ')
    terminal.type('cat\r')
    terminal.reader.until(b'cat\r\n')


def echoes(terminal):
    """Milliseconds of each key."""
    times = []
    for i in range(KEYS):
        key = chr(ord('a') + i % 26)
        began = time.perf_counter()
        terminal.type(key)
        terminal.reader.until(key.encode())
        times.append((time.perf_counter() - began) * 1e3)
    return median(times)


def keys(node):
    node.create(CT, node.add_template(template('busybox')), 1, start=1, password=PASSWORD)
    sides = {'lodge': Terminal(node), 'pty': Pty()}
    times = {side: [] for side in sides}
    try:
        log_in(sides['lodge'])
        for _ in range(ROUNDS):
            for side, terminal in sides.items():
                times[side].append(echoes(terminal))
    finally:
        for terminal in sides.values():
            terminal.close()
        node.stop(CT)
    ours, theirs = median(times['lodge']), median(times['pty'])
    say('console', f"a key's echo over HTTPS {ours:.3f} ms, of a pty with nothing in between {theirs:.3f} ms: {ours / theirs:.1f}x; "
        f"runs {runs(times['lodge'], '{:.3f}')}, {runs(times['pty'], '{:.3f}')}")


def rate(screen):
    """MB/s of whole screens."""
    began, total = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        total += screen.frame()
    return total / (time.perf_counter() - began) / 1e6


class Direct(machine.ByHand):
    """The same domain, whose screen listens on a port."""

    def edit(self, text):
        return re.sub(r"<graphics type='vnc'.*?</graphics>",
                      f"<graphics type='vnc' port='{DIRECT_PORT}' autoport='no' listen='127.0.0.1'/>", text, flags=re.S)


def screens(node):
    machine.create(node, VM, None)
    machine.act(node, VM, 'start')
    direct = Direct(node.work, VM)
    direct.start()
    time.sleep(SETTLE)
    opened = node.post(f'/nodes/{NAME}/qemu/{VM}/vncproxy', websocket=1)
    rates = {'lodge': [], 'direct': []}
    try:
        sides = {'direct': Screen(Plain(('127.0.0.1', DIRECT_PORT))), 'lodge': Screen(WebSocket(node, f'qemu/{VM}', opened))}
        with Others(node.pids().values()) as others:
            for _ in range(ROUNDS):
                for side, screen in sides.items():
                    rates[side].append(rate(screen))
    finally:
        direct.stop()
        machine.act(node, VM, 'stop')
    ours, theirs = median(rates['lodge']), median(rates['direct'])
    say('', f"a machine's screen over HTTPS {ours:.0f} MB/s, direct and in the clear {theirs:.0f} MB/s: {ours / theirs:.2f}x; "
        f"runs {runs(rates['lodge'])}, {runs(rates['direct'])}; all but the daemons {others.cores:.1f} cores")


def main():
    with Node() as node:
        keys(node)
        with machine.Libvirtd(node.work):
            screens(node)


main()
