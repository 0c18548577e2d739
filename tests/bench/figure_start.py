#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Start of a container, from POST to the task's end, beside a loop mount and lxc-start -d by hand."""
import time

from measure import Others, goal, median, runs, say
from node import Node
from peer import Bare, template

ROUNDS = 7
KINDS = {'busybox': (100, 1, None), 'debian': (101, 2, 1.5)}  # vmid, GiB, goal


def timed(action, *args):
    began = time.monotonic()
    action(*args)
    return (time.monotonic() - began) * 1000


def measure(node, kind, vmid, size, limit):
    node.create(vmid, node.add_template(template(kind)), size)
    bare = Bare(node.work, f'bare-{kind}', node.image(vmid))
    ours, theirs = [], []
    with Others(node.pids().values()) as others:
        for _ in range(ROUNDS):
            theirs.append(timed(bare.start))
            bare.stop()
            ours.append(timed(node.start, vmid))
            node.stop(vmid)
    ratio = median(ours) / median(theirs)
    text = f" ({goal(ratio, limit, 'x')})" if limit else ''
    say('start', f"{kind}: {median(ours):.0f} ms, by hand {median(theirs):.0f} ms: {ratio:.2f}x{text}")
    say('', f'runs {runs(ours)}, by hand {runs(theirs)}; all processes but the daemons {others.cores:.1f} cores')


def main():
    with Node() as node:
        for kind, how in KINDS.items():
            measure(node, kind, *how)


main()
