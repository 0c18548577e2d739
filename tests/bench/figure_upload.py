#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A large file by POST …/upload until its task has ended (it is on disk then), beside a PUT of the same file to nginx
on the same file system, followed by a sync of it; both over TLS, both sent by curl."""
import os
import subprocess
import time
import urllib.parse

from measure import Others, cpu, goal, median, runs, say
from node import NAME, PORT, Node
from peer import NGINX_PORT, Nginx

MIB, ROUNDS, GOAL = 512, 5, 60


def curl(*arguments):
    out = subprocess.run(['curl', '-skS', '--fail-with-body', '-H', 'Expect:', *arguments], capture_output=True, text=True)
    if out.returncode:
        raise RuntimeError(f'curl: {out.stderr} {out.stdout}')
    return out.stdout


def by_lodge(node, source):
    headers = [x for k, v in node.headers().items() for x in ('-H', f'{k}: {v}')]
    start = time.monotonic()
    answer = curl(*headers, '-F', 'content=iso', '-F', f'filename=@{source};filename=big.iso',
                  f'https://127.0.0.1:{PORT}/api2/json/nodes/{NAME}/storage/local/upload')
    sent = time.monotonic() - start
    node.task(urllib.parse.unquote(answer.split('"')[3]))
    took = time.monotonic() - start
    os.unlink(f'{node.state}/local/template/iso/big.iso')
    return took, sent


def by_nginx(nginx, source):
    target = f'{nginx.www}/put/big.iso'
    start = time.monotonic()
    curl('-T', source, f'https://127.0.0.1:{NGINX_PORT}/put/big.iso')
    subprocess.run(['sync', target], check=True)
    took = time.monotonic() - start
    os.unlink(target)
    return took


def main():
    with Node() as node, Nginx(node) as nginx:
        os.makedirs(f'{nginx.www}/put', exist_ok=True)
        os.chmod(f'{nginx.www}/put', 0o777)  # for its worker
        source = f'{node.work}/big.iso'
        with open(source, 'wb') as f:
            for _ in range(MIB):
                f.write(os.urandom(1 << 20))
        daemons = node.pids()
        lodge, peer, cores = [], [], []
        by_nginx(nginx, source)
        by_lodge(node, source)
        before = cpu([daemons['lodge-gate']])
        for _ in range(ROUNDS):
            peer.append(by_nginx(nginx, source))
            with Others([daemons['lodge-gate']]) as others:
                lodge.append(by_lodge(node, source)[0])
            cores.append(others.cores)
        used = (cpu([daemons['lodge-gate']]) - before) / ROUNDS
        shares = [100 * b / a for a, b in zip(lodge, peer)]
        say('upload', f'{median(shares):.0f} % of nginx ({goal(median(shares), GOAL, " %", False)}), runs {runs(shares)}')
        say('', f'lodge {MIB / median(lodge):.0f} MiB/s, nginx {MIB / median(peer):.0f} MiB/s; CPU of the gate {used:.2f} s for '
            f'{MIB} MiB; others on the machine (job, curl) {median(cores):.1f} cores')


main()
