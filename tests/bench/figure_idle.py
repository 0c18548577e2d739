#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes that an idle node writes to disk: 100 guests defined, one running, nobody asking."""
import os
import time

from measure import goal, say, written
from node import Node
from peer import template

SECONDS = int(os.environ.get('LODGE_BENCH_IDLE_SECONDS', '300'))
SETTLE = 15


def changed_files(folder, since):
    """Files below a folder that were modified, whoever did it."""
    out = []
    for path, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(path, name)
            if os.lstat(full).st_mtime > since:
                out.append(os.path.relpath(full, folder))
    return [p for p in out if not p.startswith('local/images/')]


def measure(node, text):
    time.sleep(SETTLE)  # what the start itself writes
    pids = node.pids()
    before = {name: int(written(pid)) for name, pid in pids.items()}
    since = time.time()
    time.sleep(SECONDS)
    bytes_of = {name: int(written(pid)) - before[name] for name, pid in pids.items()}
    total = sum(bytes_of.values())
    say('idle', f"{total} bytes in {SECONDS} s {text} ({goal(total, 0, ' bytes')}): "
        + ', '.join(f'{name} {n}' for name, n in bytes_of.items()))
    files = changed_files(node.state, since)
    if files:
        say('', f"files of the state changed meanwhile: {' '.join(files)}")


def main():
    with Node() as node:
        node.define(200, 99)
        node.create(100, node.add_template(template('busybox')), 1, start=1)
        try:
            measure(node, 'with 100 guests defined, 1 running')
        finally:
            node.stop(100)


main()
