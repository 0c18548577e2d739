#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs one container job as the core would: ct_job.py [--background] COMMAND VMID [name=value…]

The job's log goes to tasks/new-SERIAL (which it renames itself); prints the log, or with --background
the job's pid. Exits as the job did."""
import os
import struct
import subprocess
import sys
import time

args = sys.argv[1:]
background = args[0] == '--background'
if background:
    args = args[1:]
command, vmid = args[0], args[1]
state = os.environ['LODGE_STATE_DIR']
serial = f'{os.getpid()}-{time.monotonic_ns()}'
fields = [('serial', serial), ('node', 'lab'), ('user', 'root@pam'), ('type', command.split('-')[0]),
          ('id', vmid), ('starttime', str(int(time.time()))), ('guest', vmid)]
fields += [tuple(a.split('=', 1)) for a in args[2:]]
data = struct.pack('<H', len(fields))
for name, value in fields:
    name, value = name.encode(), value.encode()
    data += struct.pack('<H', len(name)) + name + struct.pack('<I', len(value)) + value
os.makedirs(f'{state}/tasks', exist_ok=True)
log = open(f'{state}/tasks/new-{serial}', 'w+b')
job = subprocess.Popen([os.environ['LODGE_LIBEXEC_DIR'] + '/lodge-task-ct', command],
                       stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)
job.stdin.write(data)
job.stdin.close()
if background:
    print(job.pid)
    sys.exit(0)
code = job.wait()
log.seek(0)
sys.stdout.write(log.read().decode())
sys.exit(code if code >= 0 else 128 - code)
