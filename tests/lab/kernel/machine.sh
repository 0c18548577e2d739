#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside the emulated machine, when it is up: installs the product as quickstart.sh does, runs the parts that
# /lab/parts names, one after the other, and switches the machine off. Its standard output is the port named "tap".
for port in /sys/class/virtio-ports/*; do
	[ "$(cat "$port/name")" != tap ] || exec >"/dev/${port##*/}" 2>&1 </dev/null
done
. /lab/lib.sh
trap 'poweroff -f' EXIT

node_logs() { journalctl --no-pager -q -o cat -n 60 -u lodged -u lodge-monitor -u lodge-gate | sed 's/^/# /'; }
for part in $(cat /lab/parts); do
	start=$SECONDS
	# a subshell: what a part leaves in variables is not the next one's
	(. "/lab/$part.sh") | tee "/run/lab.$part"
	echo "# $part: $((SECONDS - start)) s"
	! grep -q '^not ok' "/run/lab.$part" || is_bad=1
done
[ -z "${is_bad:-}" ] || node_logs
echo "# the machine was up for $(cut -d. -f1 /proc/uptime) s"
