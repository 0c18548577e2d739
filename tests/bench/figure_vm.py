#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Start of a virtual machine, from POST to the task's end, beside `virsh start` of the same domain."""
import time

import machine
from measure import Others, goal, median, runs, say
from node import Node

ROUNDS = 9
LIMIT = 1.1
VMID = 200


def timed(action, *args):
    began = time.monotonic()
    action(*args)
    return (time.monotonic() - began) * 1000


def measure(node, libvirtd):
    machine.create(node, VMID, machine.iso(node), scsi0='local:1')
    machine.act(node, VMID, 'start')
    by_hand = machine.ByHand(node.work, VMID)
    machine.act(node, VMID, 'stop')
    ours, theirs = [], []
    with Others([*node.pids().values(), *libvirtd.pids()]) as others:
        for _ in range(ROUNDS):
            theirs.append(timed(by_hand.start))
            by_hand.stop()
            ours.append(timed(machine.act, node, VMID, 'start'))
            machine.act(node, VMID, 'stop')
    ratio = median(ours) / median(theirs)
    say('vm', f'{median(ours):.0f} ms, virsh start {median(theirs):.0f} ms: {ratio:.2f}x ({goal(ratio, LIMIT, "x")})')
    say('', f'runs {runs(ours)}, virsh {runs(theirs)}; all processes but the daemons {others.cores:.1f} cores')


def main():
    with Node() as node, machine.Libvirtd(node.work) as libvirtd:
        measure(node, libvirtd)


main()
