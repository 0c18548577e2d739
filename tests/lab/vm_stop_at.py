# SPDX-License-Identifier: GPL-2.0-or-later
"""Stops a process the moment a file is there: vm_stop_at.py FILE PID. A busy loop: what it must come before takes
less than a millisecond."""
import os
import signal
import sys
import time

path, pid = sys.argv[1], int(sys.argv[2])
end = time.monotonic() + 20
while not os.path.exists(path):
    if time.monotonic() > end:
        sys.exit(1)
os.kill(pid, signal.SIGSTOP)
