#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""storage_fuse.py FOLDER [PID]: mounts a FUSE file system there that reads every request and answers none but the first
(INIT), in the mount namespace of that process, so that whoever touches it hangs and cannot even be killed. Ends, and frees them, with this process."""
import ctypes
import os
import struct
import sys

folder = sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)
fd = os.open('/dev/fuse', os.O_RDWR)
if len(sys.argv) > 2:
    namespace = os.open(f'/proc/{sys.argv[2]}/ns/mnt', os.O_RDONLY)
    if libc.setns(namespace, 0x20000) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
options = f'fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other'.encode()
if libc.mount(b'hang', folder.encode(), b'fuse', 6, options) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
print('mounted', flush=True)
while True:
    request = os.read(fd, 1 << 20)
    _, opcode, unique = struct.unpack_from('<IIQ', request)
    if opcode == 26:
        major, minor = struct.unpack_from('<II', request, 40)
        body = struct.pack('<IIIIHHIIHHI28x', 7, min(minor, 31), 4096, 0, 12, 9, 4096, 1, 1, 0, 0)
        os.write(fd, struct.pack('<IiQ', 16 + len(body), 0, unique) + body)
