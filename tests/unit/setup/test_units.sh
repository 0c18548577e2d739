#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The units, as systemd orders them on a host whose storage is mounted from another: found by systemd-analyze, with nothing
# started.
set -euo pipefail
# shellcheck source=tests/unit/setup/check.sh
. "$(dirname "$(readlink -f "$0")")/check.sh"
comes_after() { # comes_after UNIT OTHER
	[ -n "$(sed -n 's/^After=//p' "$top/systemd/$1" | tr ' ' '\n' | grep -xF "$2")" ]
}

# Guests with onboot are started by the core's first start of a boot, and by nothing later.
for other in local-fs.target remote-fs.target network-online.target; do
	check "the core waits for $other" comes_after lodged.service $other
	[ $other = local-fs.target ] || check "guests are shut down before $other ends" comes_after lodge-guests.service $other
done

if ! command -v systemd-analyze >/dev/null; then
	echo "ok - # skip no systemd-analyze: orders without a cycle"
	exit $failed
fi
units=$work/units
mkdir -p "$units/remote-fs.target.wants"
cp "$top"/systemd/*.service "$top/systemd/lodge.target" "$units/"
sed -i 's|^\(Exec[A-Za-z]*=\)/usr/.*|\1/bin/true|' "$units"/*.service # the programs may not be installed
printf '[Unit]\n[Mount]\nWhat=192.0.2.1:/guests\nWhere=/mnt\nType=nfs\n' >"$units/mnt.mount"
ln -s ../mnt.mount "$units/remote-fs.target.wants/"
order() { # what systemd finds wrong in the order of the units
	SYSTEMD_UNIT_PATH=$units: SYSTEMD_LOG_LEVEL=info systemd-analyze --man=no verify \
		"$units/lodge.target" "$units"/lodge*.service "$units/mnt.mount" remote-fs.target multi-user.target 2>&1 |
		grep -i 'cycle' || :
}
has_cycle() { [ -n "$(order | tee /dev/stderr)" ]; }
check "no cycle in their order" not has_cycle
echo 'After=lodged.service' >"$work/more"
sed -i "/^\[Unit\]/r $work/more" "$units/lodge-network.service" # which is before it
check "one would be found" has_cycle
exit $failed
