#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""GET /version with an API token over keep-alive TLS, beside nginx with a file of the same bytes."""
from measure import Others, cpu, goal, median, runs, say
from node import PORT, Node
from peer import NGINX_PORT, Nginx, wrk

PATH = '/api2/json/version'
ROUNDS, SECONDS, GOAL = 5, 3, 40


def measure(node, nginx, connections):
    daemons = node.pids()
    sides = {'nginx': (NGINX_PORT, nginx.workers()),
             'lodge': (PORT, [daemons['lodged'], daemons['lodge-gate']])}
    results = {side: [] for side in sides}
    for _ in range(ROUNDS):
        for side, (port, pids) in sides.items():
            before = cpu(pids)
            with Others(pids) as others:
                result = wrk(port, PATH, node.headers(), connections, SECONDS)
            result['others'] = others.cores
            result['cpu'] = (cpu(pids) - before) / result['requests'] * 1e6
            results[side].append(result)
    peer, lodge = ({k: median(r[k] for r in results[side]) for k in results[side][0]} for side in sides)
    shares = [100 * a['rate'] / b['rate'] for a, b in zip(results['lodge'], results['nginx'])]
    text = f" ({goal(median(shares), GOAL, ' %', False)})" if connections == 16 else ''
    say('version', f"{connections} connections: {median(shares):.0f} % of nginx{text}, runs {runs(shares)}")
    say('', f"lodge {lodge['rate']:.0f}/s, p99 {lodge['p99']:.2f} ms, CPU {lodge['cpu']:.0f} us each; "
        f"nginx {peer['rate']:.0f}/s, p99 {peer['p99']:.2f} ms, CPU {peer['cpu']:.0f} us each; "
        f"others on the machine {lodge['others']:.1f} cores")


def main():
    with Node() as node, Nginx(node) as nginx:
        nginx.file(PATH, node.request('GET', '/version'))
        for connections in (1, 16):
            measure(node, nginx, connections)


main()
