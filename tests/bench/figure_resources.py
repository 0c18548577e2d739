#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""GET /cluster/resources with many guests: 4 clients, no compression, one change a second."""
import math
import threading

from measure import Others, cpu, goal, median, runs, say
from node import NAME, PORT, Frames, Node, guest_text
from peer import NGINX_PORT, Nginx, wrk

PATH = '/api2/json/cluster/resources'
CLIENTS, REQUESTS, ROUNDS = 4, 1000, 3
GOALS = {1000: 20, 10000: 150}  # guests: ms


class Changes(threading.Thread):
    """One guest's configuration changes every second."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.ended, self.count = node, threading.Event(), 0

    def run(self):
        self.node.frames = Frames(f'{self.node.run}/core.sock')
        while not self.ended.wait(1):
            self.count += 1
            self.node.put([(f'/nodes/{NAME}/lxc/{100 + self.count}.conf',
                            guest_text(100 + self.count, f'change {self.count}'))])

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


def seconds_for(port, headers):
    """wrk runs for a time: long enough for the wanted number of requests."""
    rate = wrk(port, PATH, headers, CLIENTS, 2)['rate']
    return max(2, math.ceil(REQUESTS * 1.1 / rate))


def measure(node, nginx, guests, who, token):
    headers = node.headers(token)
    nginx.file(PATH, node.request('GET', '/cluster/resources', token=token))
    sides = {'lodge': (PORT, list(node.pids().values())), 'nginx': (NGINX_PORT, nginx.workers())}
    seconds = {side: seconds_for(port, headers) for side, (port, _) in sides.items()}
    results = {side: [] for side in sides}
    for _ in range(ROUNDS):
        for side, (port, pids) in sides.items():
            before = cpu(pids)
            with Others(pids) as others:
                result = wrk(port, PATH, headers, CLIENTS, seconds[side])
            result['others'] = others.cores
            result['cpu'] = (cpu(pids) - before) / result['requests'] * 1000
            results[side].append(result)
    lodge, peer = ({k: median(r[k] for r in results[side]) for k in results[side][0]} for side in sides)
    say('resources', f"{guests} guests as {who}: p99 {lodge['p99']:.1f} ms, p50 {lodge['p50']:.1f} ms "
        f"({goal(lodge['p99'], GOALS[guests], ' ms')}); nginx p99 {peer['p99']:.1f} ms: "
        f"{lodge['p99'] / peer['p99']:.1f}x")
    say('', f"p99 of the runs {runs([r['p99'] for r in results['lodge']], '{:.1f}')}, "
        f"{lodge['requests']:.0f} requests of {lodge['bytes'] / lodge['requests'] / 1024:.0f} KiB each, "
        f"{lodge['rate']:.0f}/s (nginx {peer['rate']:.0f}/s), CPU {lodge['cpu']:.2f} ms each "
        f"(nginx {peer['cpu']:.2f}); others on the machine "
        f"{runs([r['others'] for r in results['lodge']], '{:.1f}')} cores")


def main():
    with Node() as node, Nginx(node) as nginx:
        node.api('POST', '/access/users', {'userid': 'reader@pve'})
        node.api('PUT', '/access/acl', {'path': '/', 'users': 'reader@pve', 'roles': 'PVEAuditor'})
        reader = node.make_token('reader@pve', 'bench')
        defined = 0
        for guests in GOALS:
            node.define(100 + defined, guests - defined)
            defined = guests
            with Changes(node):
                measure(node, nginx, guests, 'root@pam', None)
                measure(node, nginx, guests, 'an auditor', reader)


main()
