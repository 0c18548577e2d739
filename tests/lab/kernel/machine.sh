#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside the emulated machine, when it is up: runs the parts that /lab/parts names, "a b,c": a, then b and c side by
# side, for much of each is waiting; then switches the machine off. Its standard output is the port named "tap". The host
# looks which parts came to their ends.
for port in /sys/class/virtio-ports/*; do
	[ "$(cat "$port/name")" != tap ] || exec >"/dev/${port##*/}" 2>&1 </dev/null
done
trap 'poweroff -f' EXIT
results=/run/lab
mkdir -p $results

run_part() ( # run_part NAME: what it leaves in variables is nobody else's
	part=$1
	. /lab/lib.sh || exit 1
	. "/lab/$part.sh" || exit 1
	echo "# $part took $SECONDS s"
)
node_logs() { journalctl --no-pager -q -o cat -n 60 -u lodged -u lodge-monitor -u lodge-gate | sed 's/^/# /'; }

for group in $(cat /lab/parts); do
	for part in ${group//,/ }; do
		SECONDS=0
		run_part "$part" >"$results/$part" 2>&1 &
	done
	wait
	for part in ${group//,/ }; do
		echo "# the part $part"
		cat "$results/$part"
	done
done
! grep -q '^not ok' $results/* || node_logs
echo "# the machine was up for $(cut -d. -f1 /proc/uptime) s"
