#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The store without the agent: three nodes in one process (a loop thread and a database each), and a node alone, beside a
bare log table on as many files; start and memory of a node alone."""
import os
import shutil
import subprocess

from measure import goal, median, runs, say

PROGRAM = f"{os.environ['LODGE_LIBEXEC_DIR']}/bench_store"
WORK = os.environ['BENCH_WORK']
ROUNDS, BURST = 3, 3
STEADY = 60 if os.environ.get('BENCH_FULL') else 10
# on a busy machine each of the half dozen wake-ups of a write waits for somebody else's slice
BEFORE = ['chrt', '-r', '1'] if os.environ.get('LODGE_BENCH_REALTIME') else []
GOAL_SHARE, GOAL_START_MS = 50, 500
VALUES, HISTORY = 10_000, 1_000_000


def bench(mode, folder, *args):
    out = subprocess.run(BEFORE + [PROGRAM, mode, folder, *map(str, args)], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    return {name: float(value) for name, value in (line.split() for line in out.splitlines())}


def once(mode, *args):
    """In a folder of its own, removed afterwards."""
    folder = f'{WORK}/{mode}'
    os.mkdir(folder, 0o700)
    try:
        return bench(mode, folder, *args)
    finally:
        shutil.rmtree(folder)


def middle(results):
    return {name: median(r[name] for r in results) for name in results[0]}


def rounds(nodes, writers, seconds, count=ROUNDS):
    """Medians of (bare, store), and the store's share of the bare rate in each round."""
    bare, store = [], []
    for _ in range(count):
        bare.append(once('bare', nodes, writers, seconds))
        store.append(once('load', nodes, writers, seconds))
    return middle(bare), middle(store), [100 * s['rate'] / b['rate'] for b, s in zip(bare, store)]


def who(nodes):
    return 'a node alone' if nodes == 1 else f'{nodes} nodes'


def compare(nodes, writers):
    bare, store, shares = rounds(nodes, writers, BURST)
    text = f" ({goal(median(shares), GOAL_SHARE, ' %', False)})" if (nodes, writers) == (3, 64) else ''
    say('store', f'{who(nodes)}, {writers} writers, {BURST} s: {median(shares):.0f} % of the bare log{text}, runs {runs(shares)}')
    say('', f"store {store['rate']:.0f}/s, p50 {store['p50']:.2f} ms, p99 {store['p99']:.2f} ms; "
        f"bare {bare['rate']:.0f}/s, p50 {bare['p50']:.2f} ms, p99 {bare['p99']:.2f} ms; "
        f"batches {store['persist_calls']:.0f} and {bare['rate'] / writers:.0f} a second"
        + (f"; {store['failed']:.0f} FAILED" if store['failed'] else ''))


def share(value):
    return f'{100 * value:.0f} %'


def explain(r):
    """Where an average node's writer thread and loop spent the time."""
    mean = 1000 * (r['sync'] + r['sync_moving']) / max(r['sync_calls'] + r['sync_moving_calls'], 1e-9)
    say('', f"the writer thread: {share(r['persist'])} appending to the log (its sync {share(r['sync'])}), "
        f"{share(r['settle'] - r['checkpoint'])} settling, {share(r['checkpoint'])} moving the WAL "
        f"(its syncs {share(r['sync_moving'])}); a sync takes {mean:.2f} ms")
    say('', f"CPU of a node: loop {share(r['loop_cpu'])} of a core (the leader's {share(r['leader_cpu'])}), "
        f"writer {share(r['persist_cpu'] + r['settle_cpu'])}; {r['sync_calls']:.0f} batches and {r['settle_calls']:.0f} "
        f"settlings a second; {r['written'] / 1024:.1f} kB written a change")


def steady(nodes, writers):
    bare, store, shares = rounds(nodes, writers, STEADY, 1)
    say('store', f'{who(nodes)}, {writers} writers, {STEADY} s: {shares[0]:.0f} % of the bare log; '
        f"{store['rate']:.0f}/s, p50 {store['p50']:.2f} ms, p99 {store['p99']:.2f} ms; bare {bare['rate']:.0f}/s")
    explain(store)


def started(folder):
    """Medians of five starts."""
    return middle([bench('start', folder) for _ in range(5)])


def start():
    results = {}
    for name, fill in {'empty': (0, 0, 0), 'used': (1, 0, 0), 'values': (VALUES, 0, 0), 'asked': (VALUES, 1, 0),
                       'history': (VALUES, 1, HISTORY)}.items():
        folder = f'{WORK}/{name}'
        bench('fill', folder, *fill)
        results[name] = started(folder)
        shutil.rmtree(folder)
    r = results['history']
    say('store', f"start of a node alone with {VALUES} values and {HISTORY} rows of history: {r['open']:.0f} ms "
        f"({goal(r['open'], GOAL_START_MS, ' ms')}); loading {r['load']:.0f} ms, {r['syncs']:.0f} syncs {r['sync']:.0f} ms, "
        f"the rest {r['open'] - r['load'] - r['sync']:.0f} ms; empty {results['empty']['open']:.0f} ms")
    memory = {name: result['memory'] / 1024 for name, result in results.items()}
    say('store', f"memory (PSS) of a store: empty {memory['empty']:.1f} MiB; with a log {memory['used'] - memory['empty']:.1f} "
        f"more, with {VALUES} values of 200 B {memory['values'] - memory['used']:.1f} more, with the outcomes of all requests "
        f"that are remembered {memory['asked'] - memory['values']:.1f} more")


def main():
    if BEFORE:
        say('store', 'all threads at real-time priority, the bare log\'s as well')
    sync = once('sync', BURST)
    say('store', f"fdatasync of 4 kB appended: {sync['rate']:.0f}/s, p50 {sync['p50']:.2f} ms, p99 {sync['p99']:.2f} ms")
    for writers in (1, 16, 64, 256):
        compare(3, writers)
    for writers in (1, 64):
        compare(1, writers)
    steady(3, 64)
    start()


main()
