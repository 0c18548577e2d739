# SPDX-License-Identifier: GPL-2.0-or-later
"""A viewer of VNC on a Unix socket: rfb.py SOCKET SECONDS [TEXT]

Shakes hands (security type None), reads the whole screen, types TEXT and waits until the screen has changed by
more than a blinking cursor. Without TEXT: holds the connection until it ends."""
import socket
import struct
import sys
import time

path, seconds, *text = sys.argv[1:]
deadline = time.monotonic() + float(seconds)
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(float(seconds))
peer.connect(path)


def read(size):
    data = b""
    while len(data) < size:
        part = peer.recv(min(65536, size - len(data)))
        if not part:
            sys.exit("the stream ended")
        data += part
    return data


banner = read(12)
print("banner", banner)
assert banner.startswith(b"RFB 003.")
peer.sendall(b"RFB 003.008\n")
kinds = read(read(1)[0])
assert 1 in kinds, kinds
peer.sendall(b"\x01")
assert read(4) == bytes(4), "refused"
peer.sendall(b"\x01")  # others may look, too
width, height = struct.unpack(">HH", read(4))
depth = read(16)[0] // 8
name = read(struct.unpack(">I", read(4))[0])
print("screen", width, height, depth, name)
peer.sendall(struct.pack(">BxHi", 2, 1, 0))  # raw pixels only


def screen():
    """The pixels of a whole screen, by place."""
    peer.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
    pixels = {}
    while len(pixels) < height:
        kind = read(1)[0]
        if kind == 2:  # bell
            continue
        if kind == 3:  # cut text
            read(struct.unpack(">3xI", read(7))[0])
            continue
        assert kind == 0, kind
        for _ in range(struct.unpack(">xH", read(3))[0]):
            x, y, w, h, coding = struct.unpack(">HHHHi", read(12))
            assert coding == 0, coding
            data = read(w * h * depth)
            for row in range(h):
                line = pixels.setdefault(y + row, bytearray(width * depth))
                line[x * depth:(x + w) * depth] = data[row * w * depth:(row + 1) * w * depth]
    return pixels


def difference(a, b):
    return sum(p != q for row in a for p, q in zip(a[row], b[row]))


def press(key):
    for down in (1, 0):
        peer.sendall(struct.pack(">BBxxI", 4, down, key))


if not text:
    print("holds", flush=True)
    while peer.recv(65536):
        pass
    sys.exit(0)
before = screen()
for c in text[0]:
    press(ord(c))
changed = 0
while changed < 1000:
    if time.monotonic() > deadline:
        sys.exit(f"the screen did not change: {changed} bytes differ")
    changed = difference(before, screen())
print("changed", changed)
