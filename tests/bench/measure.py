# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures of processes from /proc, and how results are printed."""
import os
import statistics

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
