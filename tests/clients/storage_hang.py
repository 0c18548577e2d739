#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Storage "hang" does not answer any more: only its own calls notice, each in bounded time, and no processes pile up."""
from lodge_test import *

px = connect()
node = px.nodes(NODE)


def timed(text, limit, call):
    start = time.monotonic()
    try:
        value = call()
    except ResourceException as e:
        value = e
    took = time.monotonic() - start
    ok(f'{text}: {took:.2f} s', took < limit, value)
    return value


def hung():
    """Processes of ours that are stuck in the kernel."""
    out = on_node('ps', '-eo', 'stat=,args=')
    return [line for line in out.splitlines() if line.startswith('D') and 'lodge-task' in line]


def lists():
    rows = {}

    def seen():
        nonlocal rows
        rows = {s['storage']: s for s in node.storage.get()}
        return rows['hang']['active'] == 0
    ok('it is seen as inactive', wait_for(90, seen), rows)
    for _ in range(5):
        rows = timed('the list of storages', 2, lambda: node.storage.get())
    rows = {s['storage']: s for s in rows}
    ok('the others are active', rows['local']['active'] == 1 and rows['hang']['active'] == 0, rows)
    timed('/cluster/resources', 2, lambda: px.cluster.resources.get())


def own_calls():
    for _ in range(20):
        value = timed('its content', 2.2, lambda: node.storage('hang').content.get())
        ok('is an error', isinstance(value, ResourceException), value)
        if _ == 3:
            ok('another storage answers meanwhile', isinstance(timed('content of local', 2, lambda: node.storage('local').content.get()), list))
    timed('its status', 2, lambda: node.storage('hang').status.get())
    value = timed('one of its volumes', 2.2, lambda: node.storage('hang').content('hang:iso/a.iso').get())
    ok('is an error', isinstance(value, ResourceException), value)
    stuck = hung()
    ok(f'no processes pile up ({len(stuck)})', len(stuck) <= 3, *stuck)


def others():
    volid = timed('allocation elsewhere', 5, lambda: node.storage('local').content.post(vmid=998, filename='vm-998-disk-0.raw', size='4M'))
    same('works', volid, 'local:998/vm-998-disk-0.raw')
    task_ok('and removal', px, node.storage('local').content(volid).delete())
    timed('version', 1, lambda: px.version.get())


run(lists, own_calls, others)
