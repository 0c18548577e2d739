# SPDX-License-Identifier: GPL-2.0-or-later
"""A viewer of a container's VNC screen on a Unix socket: rfb_term.py SOCKET SECONDS STEP…

It reads the screen's text back from its pixels, with the font that drew them. Steps, each within SECONDS:

    type:TEXT     keys; \\r and other escapes as Python has them
    keys:SYM,…    keysyms (hex), pressed in this order and released in the other
    expect:REGEX  a line of the screen
    absent:REGEX  no line of it, at once
    color:RRGGBB  this colour is somewhere on the screen
    size:WxH      ask for another size (SetDesktopSize), and get it
    clip:TEXT     the viewer's clipboard
    click:N       a click of button N in the middle
    wheel:up|down one step of the wheel
    half          half a message, and never the rest
    touch:FILE, wait:FILE
    end           the stream ends, by the other side"""
import os
import re
import select
import socket
import struct
import sys
import time

FONT = "/usr/share/grub/unicode.pf2"
CELL_WIDTH, CELL_HEIGHT = 8, 16


def glyphs(path=FONT):
    """{rows of a cell of 8 pixels, as bytes: character}"""
    data = open(path, "rb").read()
    at, sections = 0, {}
    while data[at:at + 4] != b"DATA":
        size = struct.unpack_from(">I", data, at + 4)[0]
        sections[data[at:at + 4]] = data[at + 8:at + 8 + size]
        at += 8 + size
    ascent = struct.unpack(">H", sections[b"ASCE"])[0]
    index, found = sections[b"CHIX"], {}
    for entry in range(0, len(index), 9):
        code, _, place = struct.unpack_from(">IBI", index, entry)
        if not (0x20 <= code < 0x180 or 0x2500 <= code < 0x25A0):
            continue
        width, height, x, y, _ = struct.unpack_from(">HHhhh", data, place)
        bits = int.from_bytes(data[place + 10:place + 10 + (width * height + 7) // 8], "big")
        spare = -width * height % 8
        rows = [0] * CELL_HEIGHT
        for row in range(height):
            line = bits >> (spare + (height - 1 - row) * width) & (1 << width) - 1
            rows[ascent - y - height + row] = (line << 8 >> (x + width)) & 0xFF
        found.setdefault(bytes(rows), chr(code))
    return found


class Viewer:
    def __init__(self, peer, seconds):
        self.peer, self.seconds = peer, seconds
        self.deadline = time.monotonic() + seconds
        self.glyphs = glyphs()
        self.buttons = 0
        self.pixels = {}
        self.is_greeted = False
        self.shake_hands()

    def read(self, size):
        data = bytearray()
        while len(data) < size:
            self.peer.settimeout(max(0.01, self.deadline - time.monotonic()))
            try:
                part = self.peer.recv(size - len(data))
            except ConnectionResetError:
                part = b""
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def send(self, data):
        """Reads meanwhile: a server that waits for its viewer hears nothing."""
        self.peer.settimeout(None)
        while data:
            readable, writable, _ = select.select([self.peer], [self.peer], [], self.seconds)
            if readable and self.is_greeted:
                self.take_message()
            elif writable:
                data = data[self.peer.send(data):]
            else:
                sys.exit("time-out: the viewer's messages are not read")

    def shake_hands(self):
        assert self.read(12) == b"RFB 003.008\n"
        self.send(b"RFB 003.008\n")
        count = self.read(1)[0]
        if count == 0:
            sys.exit("refused: " + self.read(struct.unpack(">I", self.read(4))[0]).decode())
        kinds = self.read(count)
        assert kinds == b"\x01", kinds  # None, and nothing else
        self.send(b"\x01")
        assert self.read(4) == bytes(4), "refused"
        self.send(b"\x01")
        self.width, self.height = struct.unpack(">HH", self.read(4))
        self.read(16)
        self.name = self.read(struct.unpack(">I", self.read(4))[0]).decode()
        # 0x00RRGGBB
        self.send(struct.pack(">BxxxBBBBHHHBBBxxx", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        # raw, cursor, desktop size with screens
        self.send(struct.pack(">BxHiii", 2, 3, 0, -239, -308))
        self.is_greeted = True
        self.ask(False)

    def ask(self, more):
        self.send(struct.pack(">BBHHHH", 3, more, 0, 0, self.width, self.height))

    def take_rectangle(self):
        x, y, w, h, coding = struct.unpack(">HHHHi", self.read(12))
        if coding == -308:
            count = self.read(4)[0]
            self.read(16 * count)
            if y == 0:  # no error
                self.width, self.height = w, h
                self.pixels = {}
            if x == 1:  # by our own wish
                self.resized = (x, y)
            return
        if coding == -239:
            self.read(w * h * 4 + (w + 7) // 8 * h)
            return
        assert coding == 0, coding
        data = self.read(w * h * 4)
        for row in range(h):
            line = self.pixels.setdefault(y + row, bytearray(self.width * 4))
            line[x * 4:(x + w) * 4] = data[row * w * 4:(row + 1) * w * 4]

    def take_message(self):
        kind = self.read(1)[0]
        if kind == 2:
            print("bell", flush=True)
        elif kind == 3:
            self.read(struct.unpack(">3xI", self.read(7))[0])
        else:
            assert kind == 0, kind
            for _ in range(struct.unpack(">xH", self.read(3))[0]):
                self.take_rectangle()
            self.ask(True)

    def cell(self, col, row):
        """Its character; of two colours the one of its upper left corner is the ground."""
        lines = [self.pixels.get(row * CELL_HEIGHT + y, b"")[col * 32:col * 32 + 32] for y in range(CELL_HEIGHT)]
        if any(len(line) < 32 for line in lines):
            return " "
        for ground in (lines[0][:4], lines[8][:4], lines[15][28:]):
            rows = bytes(sum((line[i * 4:i * 4 + 4] != ground) << 7 - i for i in range(8)) for line in lines)
            if rows in self.glyphs:
                return self.glyphs[rows]
        return "\ufffd"

    def text(self):
        return ["".join(self.cell(col, row) for col in range(self.width // CELL_WIDTH)).rstrip()
                for row in range(self.height // CELL_HEIGHT)]

    def until(self, what, is_so):
        self.deadline = time.monotonic() + self.seconds
        while not is_so():
            if not select.select([self.peer], [], [], max(0, self.deadline - time.monotonic()))[0]:
                sys.exit(f"time-out: {what}\n" + "\n".join(self.text()))
            self.take_message()
            while select.select([self.peer], [], [], 0)[0]:
                self.take_message()

    def key(self, symbol, down):
        self.send(struct.pack(">BBxxI", 4, down, symbol))

    def point(self, buttons):
        self.send(struct.pack(">BBHH", 5, buttons, self.width // 2, self.height // 2))

    def click(self, button):
        self.point(1 << button - 1)
        self.point(0)

    # -- steps

    def do_type(self, text):
        for c in text.encode().decode("unicode_escape"):
            symbol = {"\r": 0xFF0D, "\x08": 0xFF08, "\t": 0xFF09, "\x1b": 0xFF1B}.get(c, ord(c))
            self.key(symbol if symbol < 0x100 or symbol > 0xFF00 else 0x1000000 + symbol, 1)
            self.key(symbol if symbol < 0x100 or symbol > 0xFF00 else 0x1000000 + symbol, 0)

    def do_keys(self, symbols):
        symbols = [int(s, 16) for s in symbols.split(",")]
        for s in symbols:
            self.key(s, 1)
        for s in reversed(symbols):
            self.key(s, 0)

    def do_expect(self, pattern):
        self.until(pattern, lambda: any(re.search(pattern, line) for line in self.text()))

    def do_absent(self, pattern):
        found = [line for line in self.text() if re.search(pattern, line)]
        if found:
            sys.exit(f"there is {pattern}: {found}")

    def do_color(self, color):
        pixel = bytes.fromhex(color)[::-1] + b"\0"
        self.until("color " + color, lambda: any(
            line[i:i + 4] == pixel for line in self.pixels.values() for i in range(0, len(line), 4)))

    def do_size(self, size):
        width, height = map(int, size.split("x"))
        self.resized = None
        self.send(struct.pack(">BxHHBxIHHHHI", 251, width, height, 1, 1, 0, 0, width, height, 0))
        self.until("size", lambda: self.resized)
        if self.resized[1]:
            print("size refused:", self.resized[1])
        elif (self.width, self.height) != (width, height):
            sys.exit(f"size {self.width}x{self.height}")

    def do_clip(self, text):
        data = text.encode().decode("unicode_escape").encode("latin1")
        self.send(struct.pack(">BxxxI", 6, len(data)) + data)

    def do_click(self, button):
        self.click(int(button))

    def do_wheel(self, way):
        self.click(4 if way == "up" else 5)

    def do_half(self, _):
        self.send(struct.pack(">BB", 4, 1))

    def do_touch(self, path):
        open(path, "w").close()

    def do_wait(self, path):
        end = time.monotonic() + self.seconds
        while not os.path.exists(path):
            if time.monotonic() > end:
                sys.exit(f"time-out: {path}")
            time.sleep(0.05)

    def do_print(self, _):
        print("\n".join(self.text()).rstrip(), flush=True)

    def do_end(self, _):
        self.deadline = time.monotonic() + self.seconds
        try:
            while True:
                self.take_message()
        except (EOFError, BrokenPipeError):
            pass

    def run(self, steps):
        for step in steps:
            name, _, value = step.partition(":")
            try:
                getattr(self, "do_" + name)(value)
            except (EOFError, BrokenPipeError):
                sys.exit(f"the stream ended: {step}")


if __name__ == "__main__":
    path, seconds, *steps = sys.argv[1:]
    stream = socket.socket(socket.AF_UNIX)
    stream.connect(path)
    viewer = Viewer(stream, float(seconds))
    print("screen", viewer.width, viewer.height, viewer.name, flush=True)
    viewer.run(steps)
