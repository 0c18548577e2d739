#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# systemd/setup/service.sh as quickstart.sh runs it (errexit, pipefail): which bridge a first run and later ones ask for, with
# a small thing in place of the helper.
set -euo pipefail
# shellcheck source=tests/unit/setup/check.sh
. "$(dirname "$(readlink -f "$0")")/check.sh"
warn() { echo "warning: $*" >>"$work/warnings"; }
die() {
	echo "$*" >"$work/died"
	exit 1
}
# shellcheck source=systemd/setup/files.sh
. "$top/systemd/setup/files.sh"
# shellcheck source=systemd/setup/service.sh
. "$top/systemd/setup/service.sh"
state=$work/state run=$work/run libexec=$work conf=$work/lodge.conf
exec 9>/dev/null
unset LODGE_BRIDGE
# As the real one: a choice is made once, none where there shall be none.
cat >"$work/lodge-task" <<'END'
#!/bin/bash
here=${0%/*}
case $2 in
net-apply)
	echo "apply ${LODGE_BRIDGE:-}" >>"$here/asked"
	[ "${LODGE_BRIDGE:-}" = none ] || [ -e "$here/state/network.conf" ] ||
		printf 'bridge=%s\nmode=nat\nprefix=10.77.0\n' "${LODGE_BRIDGE:-vmbr0}" >"$here/state/network.conf"
	;;
net-remove)
	echo remove >>"$here/asked"
	rm -f "$here/state/network.conf"
	;;
esac
END
chmod 755 "$work/lodge-task"
has_guests=
network_has_guests() { [ -n "$has_guests" ]; }
installs() { # installs [NAME=VALUE]: the steps of node_install that are about the bridge
	(
		truncate -s 0 "$work/asked" "$work/died" "$work/warnings"
		[ $# = 0 ] || export "${1?}"
		network_check && conf_write && network_apply
	)
}
asked() { diff <(printf '%s\n' "$@") "$work/asked"; }

installs LODGE_BRIDGE=none
check "none is asked for" asked "apply none"
installs
check "and by the next run, too" asked "apply none"
installs LODGE_BRIDGE=vmbr5
check "another one is" asked "apply vmbr5"
installs
check "it stays, and nothing is taken away" asked "apply vmbr5"
network_remove # as uninstalling does
installs
check "after uninstalling it is the same" asked "apply vmbr5"
check "and made so" grep -qx bridge=vmbr5 "$state/network.conf"

has_guests=1
check "another is refused while guests are attached" not installs LODGE_BRIDGE=br9
check "the reason is told" grep -q "attached to vmbr5.*becomes br9" "$work/died"
check "nothing is done then" not test -s "$work/asked"
check "and nothing remembered" grep -qx LODGE_BRIDGE=vmbr5 "$conf"
conf_put LODGE_BRIDGE none # by hand
installs
check "settings that were changed by hand keep no upgrade off, nor take the guests' bridge away" asked "apply none"
check "that is told" grep -q "LODGE_BRIDGE is none.*attached to vmbr5" "$work/warnings"
has_guests=
installs
check "once they are stopped it goes" asked remove "apply none"

rm -f "$conf" # another host
installs
check "without a wish the choice is Lodge's" asked "apply "

# ---- the node's own interfaces ----

interfaces=$work/interfaces
asks() { (interfaces_check ""); }
at_boot() { diff <([ $# = 0 ] || printf '%s\n' "$@") <(interfaces_at_boot); }
check "no file, no interface" at_boot
cat >"$interfaces" <<'END'
eth: eth0
	autostart 1

bridge: vmbr1
	autostart 1
	cidr 192.0.2.2/24
	gateway 192.0.2.1
	cidr6 2001:db8::2/64
	bridge_ports eth0

bridge: vmbr2
	cidr 192.0.3.2/24

bridge: vmbr3
	comments autostart 1
	autostart 0
END
check "those that are set up at boot" at_boot eth0 "vmbr1 (192.0.2.2/24, 2001:db8::2/64)"
check "nobody says what shall become of them: refused" not asks
check "they are named" grep -qF "eth0, vmbr1 (192.0.2.2/24, 2001:db8::2/64)" "$work/died"
check "and both answers" grep -qe --drop-network "$work/died"
check "not with an answer" interfaces_check drop
sed -i 's/autostart 1/autostart 0/' "$interfaces"
check "nor where there are none" interfaces_check ""
sed -i 's/autostart 0/autostart 1/' "$interfaces"
rm "$work/lodge-task"
check "nor where Lodge is gone" interfaces_check ""
exit $failed
