#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A container made from a template, from POST to the task's end, beside lxc-create and the same file system made and
filled by tar by hand; the image is on disk in the end. And a copy of it, beside cp --sparse."""
import os
import shutil
import subprocess
import time

from measure import Others, goal, median, runs, say
from node import NAME, Node
from peer import template

ROUNDS = 5
KINDS = {'busybox': (100, 1, None), 'debian': (120, 2, 1.5)}  # first vmid, GiB, goal
MKFS = ['mkfs.ext4', '-F', '-q', '-E', 'root_owner=0:0,lazy_itable_init=1,lazy_journal_init=1,nodiscard']


def timed(action, *args):
    began = time.monotonic()
    action(*args)
    return (time.monotonic() - began) * 1000


def run(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def sync(path):
    with open(path, 'rb') as f:
        os.fsync(f.fileno())


class ByHand:
    def __init__(self, work, archive, size):
        self.path, self.archive, self.size = f'{work}/by-hand', archive, size
        self.mount = f'{work}/by-hand.mnt'
        os.makedirs(self.mount, exist_ok=True)

    def create(self):
        run('lxc-create', '-P', self.path, '-n', 'c', '-t', 'none')
        image = f'{self.path}/c/disk.raw'
        with open(image, 'wb') as f:
            f.truncate(self.size << 30)
        run(*MKFS, image)
        run('mount', '-o', 'loop', image, self.mount)
        run('tar', '-C', self.mount, '--numeric-owner', '--xattrs', '-xpf', self.archive)
        run('umount', self.mount)
        sync(image)

    def copy(self):
        run('cp', '--sparse=always', f'{self.path}/c/disk.raw', f'{self.path}/copy.raw')
        sync(f'{self.path}/copy.raw')

    def remove(self):
        shutil.rmtree(self.path)


def destroy(node, vmid):
    node.task(node.delete(f'/nodes/{NAME}/lxc/{vmid}'))


def clone(node, vmid, newid):
    node.task(node.post(f'/nodes/{NAME}/lxc/{vmid}/clone', newid=newid, full=1))


def measure(node, kind, vmid, size, limit):
    archive = template(kind)
    volume, hand = node.add_template(archive), ByHand(node.work, archive, size)
    made = {'made': ([], []), 'copied': ([], [])}
    with Others(node.pids().values()) as others:
        for _ in range(ROUNDS):
            made['made'][1].append(timed(hand.create))
            made['copied'][1].append(timed(hand.copy))
            hand.remove()
            made['made'][0].append(timed(node.create, vmid, volume, size))
            made['copied'][0].append(timed(clone, node, vmid, vmid + 1))
            destroy(node, vmid + 1)
            destroy(node, vmid)
    for what, (ours, theirs) in made.items():
        ratio = median(ours) / median(theirs)
        text = f" ({goal(ratio, limit, 'x')})" if limit and what == 'made' else ''
        say('create', f"{kind} {what}: {median(ours):.0f} ms, by hand {median(theirs):.0f} ms: {ratio:.2f}x{text}")
        say('', f'runs {runs(ours)}, by hand {runs(theirs)}')
    say('', f'all processes but the daemons {others.cores:.1f} cores')


def main():
    with Node() as node:
        for kind, how in KINDS.items():
            measure(node, kind, *how)


main()
