# SPDX-License-Identifier: GPL-2.0-or-later
"""A program on a terminal of its own: console_expect.py SECONDS STEP… -- COMMAND…

Steps, in order:
  expect:PATTERN   the program's output, behind what was matched before, must match
  send:TEXT        typed; \\r, \\n, \\xNN as in Python
  size:COLSxROWS   the terminal's size
  signal:NAME      to the program (STOP: it does not read any more)
  touch:PATH       makes a file
  wait:PATH        until the file is there
  exit:CODE        the program must end so
Prints what it saw. SECONDS is for each step."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

split = sys.argv.index("--")
seconds, steps, command = float(sys.argv[1]), sys.argv[2:split], sys.argv[split + 1:]
child, master = pty.fork()
if child == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(command[0], command)
seen = ""  # not matched yet
everything = ""
status = None


def fail(text):
    print(everything)
    print("----", text)
    os.kill(child, signal.SIGKILL)
    sys.exit(1)


def read(end):
    """Reads once; False at the end of the output."""
    global seen, everything
    ready, _, _ = select.select([master], [], [], max(0, min(0.1, end - time.monotonic())))
    if not ready:
        return True
    try:
        data = os.read(master, 65536)
    except OSError:
        return False
    text = data.decode(errors="replace").replace("\r", "")
    seen += text
    everything = (everything + text)[-20000:]
    return bool(data)


def expect(pattern, end):
    global seen
    wanted = re.compile(pattern, re.M)
    while True:
        match = wanted.search(seen)
        if match:
            seen = seen[match.end():]
            return
        if time.monotonic() > end:
            fail("not seen: " + pattern)
        if not read(end) and not wanted.search(seen):
            fail("ended before: " + pattern)


def set_size(text, _):
    cols, rows = map(int, text.split("x"))
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
    os.kill(child, signal.SIGWINCH)


def send(text, _):
    data = text.encode().decode("unicode_escape").encode("latin-1")
    while data:
        data = data[os.write(master, data):]


def wait(path, end):
    while not os.path.exists(path):
        if time.monotonic() > end:
            fail("is not there: " + path)
        time.sleep(0.05)


def exits(code, end):
    while read(end):
        if time.monotonic() > end:
            fail("does not end")
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != int(code):
        fail(f"exit code {os.waitstatus_to_exitcode(status)}, not {code}")


kinds = {
    "expect": expect,
    "send": send,
    "size": set_size,
    "signal": lambda name, _: os.kill(child, getattr(signal, "SIG" + name)),
    "touch": lambda path, _: open(path, "w").close(),
    "wait": wait,
    "exit": exits,
}
for step in steps:
    kind, _, argument = step.partition(":")
    kinds[kind](argument, time.monotonic() + seconds)
print(everything)
