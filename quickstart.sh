#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes this Debian host a Lodge node, or brings the node up to this source tree.
#
#   sudo ./quickstart.sh                       packages, build, installation, start; again: upgrade in place
#   sudo ./quickstart.sh status | stop         the daemons; guests go on
#   sudo ./quickstart.sh uninstall             programs, units, user and the NAT network; guests, volumes and
#                                              store stay
#   sudo ./quickstart.sh uninstall --purge     those as well, after asking (--yes: without)
#   sudo ./quickstart.sh uninstall --keep-network | --drop-network …     where it is refused without one of them:
#                                              Lodge sets up interfaces of the host at boot (lodge network), and
#                                              goes on with that alone, or does not
#
# Settings, kept in /etc/lodge/lodge.conf: sudo LODGE_PORT=8006 LODGE_LISTEN=:: LODGE_BRIDGE=vmbr0
# LODGE_NODE=name ./quickstart.sh. Of the first run only: LODGE_ADMIN_PASSWORD (else one is made and shown).
# LODGE_SKIP_TEMPLATE=1 leaves out the container template, LODGE_SKIP_ISO=1 the small ISO for a first virtual
# machine, LODGE_SKIP_KVM_CHECK=1 the test whether KVM works here.
#
# Guests and running jobs are never touched by an upgrade: the daemons are restarted, nothing else. A libvirt that
# is on this host already keeps its ways. Without systemd the daemons, libvirtd among them, are kept up by
# /usr/libexec/lodge/lodge-supervise; start it with `setsid -f` after a reboot, from whatever starts things on
# such a host.
set -euo pipefail
top=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
umask 022

say() { echo "lodge: $*"; }
warn() { echo "lodge: warning: $*" >&2; }
die() {
	echo "lodge: $*" >&2
	exit 1
}
usage() {
	sed -n 's/^#   \(sudo.*\)/  \1/p' "$0"
	exit "$1"
}

# shellcheck source=systemd/setup/packages.sh
. "$top/systemd/setup/packages.sh"
# shellcheck source=systemd/setup/files.sh
. "$top/systemd/setup/files.sh"
# shellcheck source=systemd/setup/service.sh
. "$top/systemd/setup/service.sh"
# shellcheck source=systemd/setup/machines.sh
. "$top/systemd/setup/machines.sh"
# shellcheck source=systemd/setup/first.sh
. "$top/systemd/setup/first.sh"

need_root() {
	[ "$(id -u)" = 0 ] || die "this needs root: sudo $0"
	exec 9>/run/lodge-quickstart.lock
	flock -n 9 || die "another quickstart.sh is at work"
}

node_install() {
	local logs=$top/build
	need_root
	conf_check_all
	network_check
	mkdir -p "$logs"
	machines_before_packages
	packages_hold_lxc_net conf_put LODGE_MASKED_LXC_NET 1
	# shellcheck disable=SC2086
	packages_install "$logs/packages.log" $packages_build $packages_run
	machines_after_packages
	say "building (the first time takes a minute or two)"
	files_build release "$logs/release.log"
	files_user
	files_subids
	files_install "$logs/install.log"
	conf_write
	machines_configure
	network_apply
	service_start
	service_wait 60 || {
		service_logs >&2 || :
		die "the node does not answer; above are the ends of its logs"
	}
	first_admin
	machines_iso "$logs/iso.log"
	machines_check_kvm "$logs/kvm.log"
	machines_start
	first_template "$logs/template.log"
	first_hints
}

node_status() {
	local code=0
	[ -x "$libexec/lodged" ] || die "no Lodge is installed here"
	service_status || code=$?
	[ $code != 0 ] || lodge status || code=1
	return $code
}

node_stop() {
	need_root
	service_stop
	say "stopped; guests go on"
}

purge_confirm() { # purge_confirm YES
	local answer
	[ -z "$1" ] || return 0
	[ -t 0 ] || die "--purge removes every guest and its disks for good: say --yes as well"
	read -rp "Stop all guests of this node and remove them, their disks and all settings for good? (yes/no) " answer
	[ "$answer" = yes ] || die "nothing was changed"
}

# By the node if it answers; its monitors are asked one by one otherwise.
purge_guests() {
	local name upid
	if lodge get /version >/dev/null 2>&1; then
		while read -r upid; do
			lodge task stop "$upid" || :
		done < <(lodge get "/nodes/$LODGE_NODE/tasks" --source active 2>/dev/null | grep -o 'UPID:[^"]*')
		while read -r name; do
			lodge stop "$name" >/dev/null || :
		done < <(lodge ls 2>/dev/null | awk '$5 == "running" { print $1 }')
	fi
	machines_kill
	for name in $(lxc-ls -P $run/ct --running -1 2>/dev/null); do
		timeout 30 lxc-stop -P $run/ct -n "$name" -k || warn "container $name does not stop"
	done
}

node_uninstall() {
	local purge='' yes='' network='' option kept
	for option; do
		case $option in
		--purge) purge=1 ;;
		--yes) yes=1 ;;
		--keep-network) network=keep ;;
		--drop-network) network=drop ;;
		*) usage 2 ;;
		esac
	done
	need_root
	interfaces_check "$network"
	[ -n "$(interfaces_at_boot)" ] || network=
	LODGE_NODE=$(conf_get LODGE_NODE)
	[ -z "$purge" ] || purge_confirm "$yes"
	[ -z "$purge" ] || purge_guests
	service_stop
	machines_remove "$purge"
	if [ "$(network_get mode)" = nat ] && network_has_guests; then
		warn "guests go on without their bridge $(network_get bridge): when there is one again, restart them"
	fi
	network_remove
	if packages_has_systemd; then
		systemctl --quiet disable lodge.target 2>/dev/null || :
		systemctl --quiet disable $interfaces_unit 2>/dev/null || :
	fi
	packages_release_lxc_net
	if [ "$network" = keep ]; then
		interfaces_leave
	elif [ -f "$manifest" ]; then
		files_remove < <(cat "$manifest")
	fi
	! packages_has_systemd || systemctl daemon-reload
	files_user_remove
	[ "$network" != keep ] || interfaces_describe_left
	if [ -z "$purge" ]; then
		say "removed; guests, volumes, settings and store stay (/var/lib/lodge, /etc/lodge)"
		return
	fi
	[ "$network" != keep ] || files_spared=${interfaces%/*}
	files_purge $state $run /var/log/lodge /etc/lodge
	if [ ${#files_kept[@]} -gt 0 ]; then
		for kept in "${files_kept[@]}"; do warn "this stays: $kept"; done
		die "removed, with all guests, but for what stays; when nothing holds it any more: $0 uninstall --purge"
	fi
	say "removed, with all guests; volumes on other storages were not touched"
}

trap packages_restore_services EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
case ${1:-install} in
install) node_install ;;
status) node_status ;;
stop) node_stop ;;
uninstall)
	shift
	node_uninstall "$@"
	;;
-h | --help | help) usage 0 ;;
*) usage 2 ;;
esac
