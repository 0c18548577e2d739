#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Code that runs inside the gate's sandbox meets canaries that are open to everyone: each attempt must be refused, and
# must succeed once the layers that refuse it are left out (otherwise the test would prove nothing). TAP. As root.
# Usage: gate_sandbox.sh BUILD_DIRECTORY
set -u
gate=${1:?build directory}/agent/gate/lodge-gate-hooks
[ -x "$gate" ] || { echo "Bail out! $gate is not built"; exit 1; }
if grep -q __asan_init "$gate"; then echo "1..0 # SKIP sanitizers need system calls that the sandbox refuses"; exit 0; fi
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root"; exit 0; }

dir=$(mktemp -d /tmp/lodge-gate-sandbox-XXXXXX)
helper=
finish() {
	[ -n "$helper" ] && kill "$helper" 2>/dev/null
	umount "$dir/run/mount" 2>/dev/null
	rm -rf --one-file-system "$dir"
}
trap finish EXIT
chmod 755 "$dir"
export LODGE_STATE_DIR=$dir/state LODGE_RUN_DIR=$dir/run LODGE_SHARE_DIR=$dir/share
export LODGE_GATE_TEST_USER=nobody
mkdir -p "$dir/state/tls" "$dir/run" "$dir/share/webui" "$dir/open"
echo page >"$dir/share/webui/index.html"

# the canaries
mknod -m 666 "$dir/device" c 1 3
echo public >"$dir/public"; chmod 644 "$dir/public"
echo anyone >"$dir/anyone"; chmod 666 "$dir/anyone"
echo root >"$dir/secret"; chmod 600 "$dir/secret"
chmod 1777 "$dir/open"
cp /bin/true "$dir/true"; chmod 755 "$dir/true"
mkdir "$dir/run/mount"
coproc canary { exec python3 -c '
import os, socket, sys
d = sys.argv[1]
def unix(address):
    s = socket.socket(socket.AF_UNIX)
    s.bind(address)
    if address[0] == "/":
        os.chmod(address, 0o666)
    s.listen()
    return s
kept = [unix(d + "/unix.sock"), unix(d + "/run/gate.sock"), unix("\0lodge-canary-%d" % os.getpid())]
tcp = socket.socket()
tcp.bind(("127.0.0.1", 0))
tcp.listen()
print(tcp.getsockname()[1], flush=True)
sys.stdin.read()
' "$dir"; }
helper=$canary_PID
read -r port <&"${canary[0]}"
abstract=lodge-canary-$helper

count=0 failed=0
check() { # NAME WANTED-PREFIX GOT
	count=$((count + 1))
	if [[ $3 == "$2"* ]]; then echo "ok $count - $1"
	else echo "not ok $count - $1: wanted '$2', got '$3'"; failed=1; fi
}
probe() { LODGE_GATE_TEST_LAYERS_OFF=$1 "$gate" --sandbox-probe "${@:2}" 2>"$dir/err" || cat "$dir/err"; }

# refused TITLE LAYERS PROBE ARGUMENT: with all layers refused, without LAYERS done
refused() {
	check "$1" "refused" "$(probe "" "$3" "${4-}")"
	check "$1: done without $2" "DONE" "$(probe "$2" "$3" "${4-}")"
}

refused "opens a 0666 device" landlock read "$dir/device"
refused "reads a 0644 file outside" landlock read "$dir/public"
refused "reads it by its absolute path" view,landlock read-absolute "$dir/public"
refused "writes a 0666 file" landlock write "$dir/anyone"
refused "creates a file in a 1777 folder" landlock create "$dir/open/file"
refused "reads a file of root" user,landlock read "$dir/secret"
refused "executes a program" landlock,seccomp,view exec "$dir/true"
check "executing ends the process even where it is allowed to read" "refused signal 31" \
	"$(probe landlock exec "$dir/true")"
refused "makes a process" user,seccomp fork
refused "traces" seccomp ptrace
refused "mounts" user,seccomp,landlock mount /mount
refused "becomes root again" user,seccomp setuid
refused "changes its folder, the way out of its root" seccomp chdir
refused "makes executable memory" seccomp exec-memory
refused "opens an IPv4 socket" seccomp socket 2
refused "opens an IPv6 socket" seccomp socket 10
refused "opens a netlink socket" seccomp socket 16
refused "opens a packet socket" seccomp,user,view socket 17
refused "connects to a TCP port of the node" seccomp,landlock,view tcp "$port"
refused "connects to a 0666 Unix socket" view unix "$dir/unix.sock"
refused "connects to an abstract Unix socket" view,landlock abstract "$abstract"
refused "signals another process" seccomp,user,landlock kill "$helper"

# each layer of a pair holds by itself
check "fork without seccomp" "refused" "$(probe seccomp fork)"
check "fork without the user layer" "refused" "$(probe user fork)"
check "TCP without seccomp" "refused" "$(probe seccomp tcp "$port")"
check "TCP without seccomp and Landlock" "refused" "$(probe seccomp,landlock tcp "$port")"
check "abstract socket without Landlock" "refused" "$(probe landlock abstract "$abstract")"
check "mount without seccomp" "refused" "$(probe seccomp mount /mount)"
check "setuid without seccomp" "refused" "$(probe seccomp setuid)"
check "a file of root without Landlock" "refused" "$(probe landlock read "$dir/secret")"
check "exec without seccomp" "refused" "$(probe seccomp exec "$dir/true")"

# what it must be able to do
check "reads its static files" "DONE" "$(probe "" read "$dir/share/webui/index.html")"
check "connects to the core's socket" "DONE" "$(probe "" unix /gate.sock)"
echo "1..$count"
exit $failed
