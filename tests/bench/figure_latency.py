#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""From SIGKILL of a guest's first process to the word in the page, in Chromium; containers and machines."""
import os
import signal
import subprocess
import time

import machine
from measure import goal, median, runs, say
from node import NAME, PORT, Node
from peer import template

CT, VM, ROUNDS, GOAL_MS = 100, 200, 7, 1000
SETTLE = 5  # seconds: Chromium drops what it loads when a network interface comes (ERR_NETWORK_CHANGED)
HERE = os.path.dirname(os.path.abspath(__file__))


class Page:
    """latency.mjs: shows the page of a guest, and says when the word of its state changed."""

    def __init__(self, node, password):
        env = dict(os.environ, LODGE_HOST='127.0.0.1', LODGE_PORT=str(PORT), LODGE_NODE=NAME, LODGE_USER='viewer@pve',
                   LODGE_PASSWORD=password, LODGE_SHOTS=f'{node.work}/shots')
        self.process = subprocess.Popen(['node', f'{HERE}/../ui/latency.mjs'], env=env, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def ask(self, text):
        self.process.stdin.write(text + '\n')
        self.process.stdin.flush()

    def answer(self):
        """The next line that is no comment."""
        line = '#'
        while line.startswith('#'):
            line = self.process.stdout.readline()
            if not line:
                raise EOFError('the browser ended')
        return line.strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


def one(node, page, kind, vmid):
    """Milliseconds from the signal to the word."""
    node.task(node.post(f'/nodes/{NAME}/{kind}/{vmid}/status/start'))
    page.ask(f'{kind}/{vmid}')
    if page.answer() != 'running':
        raise RuntimeError('the page does not show it running')
    pid = machine.pid(vmid) if kind == 'qemu' else node.get(f'/nodes/{NAME}/lxc/{vmid}/status/current')['pid']
    began = time.time()
    os.kill(int(pid), signal.SIGKILL)
    return float(page.answer()) - began * 1000


def main():
    password = 'north-window-4'
    with Node() as node, machine.Libvirtd(node.work):
        node.api('POST', '/access/users', {'userid': 'viewer@pve', 'password': password})
        node.api('PUT', '/access/acl', {'path': '/', 'users': 'viewer@pve', 'roles': 'PVEAuditor'})
        node.create(CT, node.add_template(template('busybox')), 1)
        machine.create(node, VM, machine.iso(node))
        time.sleep(SETTLE)
        page = Page(node, password)
        for kind, vmid in (('lxc', CT), ('qemu', VM)):
            times = [one(node, page, kind, vmid) for _ in range(ROUNDS)]
            say('latency', f'{kind}: killed to shown {median(times):.0f} ms ({goal(median(times), GOAL_MS, " ms")}), runs {runs(times)}')
        page.close()


main()
