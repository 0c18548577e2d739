#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""PSS of the daemons with 100 guests defined, 10 running, after 1,000 requests; PSS of a running
container with its monitor, beside lxc-start."""
import time

from measure import below, goal, memory, mib, processes, say
from node import NAME, Node
from peer import Bare, monitors, template

RUNNING, DEFINED, REQUESTS = 10, 100, 1000
FIRST = 100
SETTLE = 3  # seconds, for what a container starts
PATHS = ('/version', '/cluster/resources', '/nodes', f'/nodes/{NAME}/lxc', f'/nodes/{NAME}/status',
         f'/nodes/{NAME}/lxc/{FIRST}/status/current', f'/nodes/{NAME}/lxc/{FIRST}/config',
         f'/nodes/{NAME}/tasks', '/storage', '/access/permissions')
GOALS = {'core + gate': 20, 'all daemons': 32}  # MiB


def daemons(node):
    sizes = {name: memory(pid) for name, pid in node.pids().items()}
    sums = {'core + gate': sizes['lodged'][0] + sizes['lodge-gate'][0],
            'all daemons': sum(pss for pss, _, _ in sizes.values())}
    for what, kib in sums.items():
        say('memory', f"{what}: {mib(kib)} PSS ({goal(kib / 1024, GOALS[what], ' MiB')})")
    say('', ', '.join(f'{name} {mib(pss)} (private {mib(private)}, RSS {mib(rss)})'
                      for name, (pss, private, rss) in sizes.items()))


def containers(path):
    """PSS in KiB of one container: (monitor, all of its processes with the monitor)."""
    time.sleep(SETTLE)
    table = processes()
    found = monitors(path)
    if len(found) != RUNNING:
        raise RuntimeError(f'{len(found)} monitors below {path}, {RUNNING} expected')
    alone = sum(memory(p)[0] for p in found)
    inside = sum(memory(c)[0] for p in found for c in below(p, table))
    return alone / RUNNING, (alone + inside) / RUNNING


def bare_containers(node):
    peers = [Bare(node.work, f'bare{i}', node.image(FIRST)) for i in range(RUNNING)]
    try:
        for peer in peers:
            peer.start()
        return containers(peers[0].path)
    finally:
        for peer in peers:
            peer.stop()


def main():
    with Node() as node:
        node.define(FIRST + RUNNING, DEFINED - RUNNING)
        volume = node.add_template(template('busybox'))
        guests = range(FIRST, FIRST + RUNNING)
        try:
            for vmid in guests:
                node.create(vmid, volume, 1, start=1)
            for i in range(REQUESTS):
                node.request('GET', PATHS[i % len(PATHS)])
            daemons(node)
            ours = containers(f'{node.run}/ct')
        finally:
            for vmid in guests:
                node.stop(vmid)
        bare = bare_containers(node)
    say('memory', f"a running container (busybox), monitor included: {mib(ours[1])}, lxc-start "
        f"{mib(bare[1])}: {ours[1] / bare[1]:.2f}x; the monitor alone {mib(ours[0])} and {mib(bare[0])}: "
        f'{ours[0] / bare[0]:.2f}x')


main()
