#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random schedules of the store's simulator, one process."""
import os
import subprocess

from measure import median, runs, say

PROGRAM = f"{os.environ['LODGE_LIBEXEC_DIR']}/sim_store"
SCHEDULES, ROUNDS = 500, 3


def seconds(first):
    """CPU of one run; the same seeds are the same work."""
    before = os.times()
    subprocess.run([PROGRAM, '--schedules', str(SCHEDULES), '--seed', str(first)], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main():
    rates = [SCHEDULES / seconds(1) for _ in range(ROUNDS)]
    say('simulator', f'{median(rates):.0f} schedules a second of CPU, runs {runs(rates)}')


main()
