#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""PSS of the daemons with 100 guests defined, ten containers and then ten virtual machines as well running,
after 1,000 requests; PSS of a running container with its monitor, beside lxc-start."""
import time

import machine
from measure import below, goal, memory, mib, processes, say
from node import NAME, Node
from peer import Bare, monitors, template

RUNNING, DEFINED, REQUESTS = 10, 100, 1000
FIRST, MACHINES = 100, 900
SETTLE = 3  # seconds, for what a container starts
PATHS = ('/version', '/cluster/resources', '/nodes', f'/nodes/{NAME}/lxc', f'/nodes/{NAME}/status',
         f'/nodes/{NAME}/lxc/{FIRST}/status/current', f'/nodes/{NAME}/lxc/{FIRST}/config',
         f'/nodes/{NAME}/tasks', '/storage', '/access/permissions')
GOALS = {'core + gate': 20, 'all daemons': 32}  # MiB


def daemons(node, running):
    sizes = {name: memory(pid) for name, pid in node.pids().items()}
    sums = {'core + gate': sizes['lodged'][0] + sizes['lodge-gate'][0],
            'all daemons': sum(pss for pss, _, _ in sizes.values())}
    for what, kib in sums.items():
        say('memory', f"{what}, {running} running: {mib(kib)} PSS ({goal(kib / 1024, GOALS[what], ' MiB')})")
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


def ask(node, paths):
    for i in range(REQUESTS):
        node.request('GET', paths[i % len(paths)])


def with_machines(node):
    """Ten of them beside the ten containers, halted in their firmware: they have nothing to boot from."""
    machines = range(MACHINES, MACHINES + RUNNING)
    with machine.Libvirtd(node.work):
        try:
            for vmid in machines:
                machine.create(node, vmid, None, start=1, memory=64)
            ask(node, PATHS + (f'/nodes/{NAME}/qemu', f'/nodes/{NAME}/qemu/{MACHINES}/status/current'))
            time.sleep(SETTLE)
            daemons(node, 'ten containers and ten machines')
        finally:
            for vmid in machines:
                machine.act(node, vmid, 'stop')


def main():
    with Node() as node:
        node.define(FIRST + RUNNING, DEFINED - 2 * RUNNING)
        volume = node.add_template(template('busybox'))
        guests = range(FIRST, FIRST + RUNNING)
        try:
            for vmid in guests:
                node.create(vmid, volume, 1, start=1)
            ask(node, PATHS)
            daemons(node, 'ten containers')
            ours = containers(f'{node.run}/ct')
            with_machines(node)
        finally:
            for vmid in guests:
                node.stop(vmid)
        bare = bare_containers(node)
    say('memory', f"a running container (busybox), monitor included: {mib(ours[1])}, lxc-start "
        f"{mib(bare[1])}: {ours[1] / bare[1]:.2f}x; the monitor alone {mib(ours[0])} and {mib(bare[0])}: "
        f'{ours[0] / bare[0]:.2f}x')


main()
