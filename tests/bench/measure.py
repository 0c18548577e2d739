# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures of processes from /proc, and how results are printed."""
import os
import statistics
import time

TICK = os.sysconf('SC_CLK_TCK')
median = statistics.median


def memory(pid):
    """(PSS, private part, RSS) in KiB, what is swapped out included; zeros for a process that just ended."""
    kib = {}
    try:
        with open(f'/proc/{pid}/smaps_rollup') as f:
            for line in f.read().splitlines()[1:]:
                name, value = line.split(':')
                kib[name] = int(value.split()[0])
    except (OSError, ValueError):
        return 0, 0, 0
    return (kib['Pss'] + kib['SwapPss'], kib['Private_Clean'] + kib['Private_Dirty'] + kib['SwapPss'],
            kib['Rss'] + kib['SwapPss'])


def cpu(pids):
    """Seconds of CPU that these processes have used."""
    total = 0
    for pid in pids:
        with open(f'/proc/{pid}/stat') as f:
            parts = f.read().rsplit(')', 1)[1].split()
        total += int(parts[11]) + int(parts[12])
    return total / TICK


class Others:
    """How many cores the rest of the machine used meanwhile: with Others(pids) as o: …; o.cores."""

    def __init__(self, pids):
        self.pids = pids

    def _used(self):
        with open('/proc/stat') as f:
            user, nice, system, _, _, irq, softirq, steal = (int(v) for v in f.readline().split()[1:9])
        return (user + nice + system + irq + softirq + steal) / TICK - cpu(self.pids) - sum(os.times()[:4])

    def __enter__(self):
        self.began, self.before = time.monotonic(), self._used()
        return self

    def __exit__(self, *_):
        self.cores = max(0, (self._used() - self.before) / (time.monotonic() - self.began))


def written(pid):
    with open(f'/proc/{pid}/io') as f:
        return dict(line.split(': ') for line in f.read().splitlines())['write_bytes']


def processes():
    """pid -> (parent, command line)."""
    out = {}
    for name in os.listdir('/proc'):
        if not name.isdigit():
            continue
        try:
            with open(f'/proc/{name}/stat') as f:
                parent = int(f.read().rsplit(')', 1)[1].split()[1])
            with open(f'/proc/{name}/cmdline', 'rb') as f:
                out[int(name)] = parent, f.read().replace(b'\0', b' ').decode(errors='replace').strip()
        except (OSError, IndexError):
            continue
    return out


def below(pid, table):
    children = [p for p, (parent, _) in table.items() if parent == pid]
    return children + [d for c in children for d in below(c, table)]


def mib(kib):
    return f'{kib / 1024:.1f} MiB'


def goal(value, limit, unit, is_upper=True):
    met = value <= limit if is_upper else value >= limit
    return f"goal {'≤' if is_upper else '≥'} {limit:g}{unit}: {'met' if met else 'MISSED'}"


def say(figure, text):
    print(f'{figure:<10} {text}', flush=True)


def runs(values, form='{:.0f}'):
    return '[' + ' '.join(form.format(v) for v in values) + ']'
