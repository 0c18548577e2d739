#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# systemd/setup/machines.sh as quickstart.sh runs it (errexit, pipefail), with small things in place of libvirt's.
set -euo pipefail
# shellcheck source=tests/unit/setup/check.sh
. "$(dirname "$(readlink -f "$0")")/check.sh"
warn() { echo "warning: $*" >&2; }
# shellcheck source=systemd/setup/machines.sh
. "$top/systemd/setup/machines.sh"
run=$work/run

# ---- who is at work ----

pgrep() { # as many as a pipe is left early by
	local n
	for n in {1..200}; do echo $$; done
}
check "many machines run, not none" machines_running
check "many libvirtds are others" machines_has_others
pgrep() { return 1; }
check "no machine runs" not machines_running
check "no libvirtd is at work" not machines_has_others

# ---- purge while no libvirtd answers ----

# A program and no function: timeout(1) would run the real one, and that would end the machines of this host.
mkdir "$work/bin"
printf '#!/bin/sh\nexit 1\n' >"$work/bin/virsh"
chmod 755 "$work/bin/virsh"
PATH=$work/bin:$PATH
[ "$(timeout 5 bash -c 'command -v virsh')" = "$work/bin/virsh" ] || { echo "not ok - a virsh of the test's own"; exit 1; }
machines_pids=$work/qemu
mkdir "$machines_pids"
emulator() { # emulator NAME: one that calls itself so, and that the pid file of that name names
	bash -c 'exec -a "qemu -name guest=$1,debug-threads=on" sleep 100' sh "$1" &
	echo $! >"$machines_pids/$2.pid"
}
ends() { # ends PID
	local n
	for n in {1..50}; do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}
emulator lodge-100 lodge-100
ours=$!
emulator lodge-1001 lodge-101 # the file is old: its pid is another's by now
others=$!
emulator web web
theirs=$!
sleep 100 &
stranger=$!
echo $stranger >"$machines_pids/lodge-102.pid"
echo nonsense >"$machines_pids/lodge-103.pid"
# the names are there once the processes were executed
for pid in $ours $others $theirs; do
	until tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q guest=; do sleep 0.05; done
done
machines_kill 2>"$work/err" || { echo "not ok - machines_kill"; failed=1; }
check "a machine is ended by its pid" ends $ours
check "another's is left alone" kill -0 $others
check "a machine that is not of this node is left alone" kill -0 $theirs
check "a process that is no machine is left alone" kill -0 $stranger
kill $others $theirs $stranger
wait

# ---- libvirt's own network ----

packages_is_installed() { return 0; }
conf_get() { echo 1; }
machines_autostart=$work/default.xml
touch "$machines_autostart"
machines_before_packages
machines_after_packages
check "what somebody switched on later stays" test -e "$machines_autostart"
exit $failed
