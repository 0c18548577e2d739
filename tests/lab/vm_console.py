# SPDX-License-Identifier: GPL-2.0-or-later
"""Serial console of a virtual machine: vm_console.py SOCKET SECONDS [-s TEXT] PATTERN…

Prints what it reads; ends well once every pattern was seen, in any order."""
import re
import socket
import sys
import time

path, seconds, *patterns = sys.argv[1:]
send = None
if patterns[0] == "-s":
    send, patterns = patterns[1], patterns[2:]
end = time.monotonic() + float(seconds)
console = socket.socket(socket.AF_UNIX)
console.connect(path)
if send is not None:
    console.sendall(send.encode() + b"\n")
text = ""
missing = [re.compile(p, re.M) for p in patterns]
while missing and time.monotonic() < end:
    console.settimeout(max(0.1, end - time.monotonic()))
    try:
        data = console.recv(65536)
    except TimeoutError:
        break
    if not data:
        break
    text += data.decode(errors="replace").replace("\r", "")
    missing = [p for p in missing if not p.search(text)]
print(text)
for p in missing:
    print("not seen:", p.pattern)
sys.exit(1 if missing else 0)
