#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Many containers made and removed at once. Arguments: the template's volume id, how many."""
import concurrent.futures
import threading

from lodge_test import *

TEMPLATE, COUNT = sys.argv[1], int(sys.argv[2])
N = f'/nodes/{NODE}'
session, _ = login()


def data(verb, path, params=None):
    r = wire(verb, path, params, session)
    if r.status != 200:
        raise RuntimeError(f'{verb} {path}: {r}')
    return r.data


def ended(upid):
    def look():
        s = data('GET', f'{N}/tasks/{upid}/status')
        return s if s['status'] == 'stopped' else None
    s = wait_for(280, look, 0.5)
    return s['exitstatus'] if s else 'still running'


def all_of(fn, items):
    """[(item, result or exception text)], all at once"""
    def one(item):
        try:
            return item, fn(item)
        except Exception as e:
            return item, f'{type(e).__name__}: {e}'
    with concurrent.futures.ThreadPoolExecutor(COUNT) as pool:
        return list(pool.map(one, items))


def create(_):
    vmid = int(data('GET', '/cluster/nextid'))
    return vmid, ended(data('POST', f'{N}/lxc', {'vmid': vmid, 'ostemplate': TEMPLATE, 'rootfs': 'local:0.1', 'memory': 32,
                                                 'swap': 0, 'hostname': f'many{vmid}'}))


def memory():
    """KiB of core and jobs, of the jobs alone, and how many these are."""
    text = on_node('sh', '-c', 'for p in $(pidof lodged lodge-task-ct lodge-task); do '
                   'awk -v n=$(cat /proc/$p/comm) \'/^Pss:/ {print n, $2}\' /proc/$p/smaps_rollup 2>/dev/null; done; :')
    rows = [line.split() for line in text.splitlines()]
    jobs = [int(r[1]) for r in rows if r[0] != 'lodged']
    return sum(int(r[1]) for r in rows if r[0] == 'lodged'), sum(jobs), len(jobs)


class Watch(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.over, self.most, self.jobs, self.slowest = threading.Event(), [0, 0], 0, 0.0

    def run(self):
        while not self.over.wait(0.5):
            core, jobs, count = memory()
            self.most = [max(self.most[0], core), max(self.most[1], jobs)]
            self.jobs = max(self.jobs, count)
            began = time.monotonic()
            data('GET', '/cluster/resources')
            self.slowest = max(self.slowest, time.monotonic() - began)


def main():
    core_before = memory()[0]
    watch = Watch()
    watch.start()
    began = time.monotonic()
    made = [r for _, r in all_of(create, range(COUNT))]
    took = time.monotonic() - began
    good = [r for r in made if isinstance(r, tuple) and r[1] == 'OK']
    ok(f'{COUNT} created at once ({took:.1f} s)', len(good) == COUNT, *[r for r in made if r not in good][:5])
    ids = [r[0] for r in made if isinstance(r, tuple)]
    same('each got an id of its own', len(set(ids)), COUNT)
    rows = {int(g['vmid']): g for g in data('GET', f'{N}/lxc')}
    ok('all are listed, none is locked', all(v in rows and not rows[v].get('lock') for v in ids), rows)
    began = time.monotonic()
    gone = [r for _, r in all_of(lambda v: ended(data('DELETE', f'{N}/lxc/{v}')), ids)]
    ok(f'{COUNT} destroyed at once ({time.monotonic() - began:.1f} s)', gone == ['OK'] * COUNT, *[r for r in gone if r != 'OK'][:5])
    watch.over.set()
    watch.join()
    say(f'# at most {watch.jobs} jobs with {watch.most[1] >> 10} MiB, core {watch.most[0]} KiB (before {core_before}), '
        f'slowest list {watch.slowest * 1000:.0f} ms')
    ok('jobs together stay below 150 MiB', watch.most[1] < 150 << 10, watch.most)
    # two cores, fifty jobs and their tools: what counts is that no client gives up, which they do after 5 s
    ok('a list is answered before clients give up all the time', watch.slowest < 5, watch.slowest)
    wait_for(10, lambda: memory()[0] < core_before + 4096)
    ok('the core grew by less than 4 MiB', memory()[0] < core_before + 4096, core_before, memory()[0])
    same('no volume is left', [v['volid'] for v in data('GET', f'{N}/storage/local/content', {'content': 'rootdir'})], [])


main()
finish()
