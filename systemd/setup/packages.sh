# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian packages, installed only when some are missing, and without starting what they bring. Sourced
# by quickstart.sh and tests/run.sh, which define say, warn and die.

# shellcheck disable=SC2034 # for those who source this
packages_build="cmake ninja-build gcc libc6-dev pkg-config libjson-c-dev libmicrohttpd-dev libsystemd-dev
	libsqlite3-dev libarchive-dev libcurl4-gnutls-dev|libcurl4-openssl-dev libseccomp-dev lxc-dev|liblxc-dev libcrypt-dev nettle-dev libgnutls28-dev
	zlib1g-dev libvirt-dev libxml2-dev libwslay-dev libvncserver-dev libvterm-dev"
# shellcheck disable=SC2034
packages_run="lxc uidmap dnsmasq-base nftables iproute2 e2fsprogs btrfs-progs util-linux mount curl ca-certificates
	mmdebstrap zstd busybox-static procps skopeo
	libvirt-daemon-system libvirt-daemon-driver-qemu qemu-system-x86 qemu-utils
	grub-pc-bin grub-common xorriso mtools kmod cpio"

packages_has_systemd() { [ -d /run/systemd/system ]; }

packages_is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Of "a|b" any is enough; what has no alternative installed is printed.
packages_missing() { # packages_missing PACKAGES…
	local entry name
	for entry; do
		for name in ${entry//|/ }; do
			packages_is_installed "$name" && continue 2
		done
		echo "$entry"
	done
}

packages_choose() { # of "a|b", the first one that this release of Debian has
	local name
	for name in ${1//|/ }; do
		if [ -n "$(apt-cache madison "$name" 2>/dev/null)" ]; then
			echo "$name"
			return
		fi
	done
	echo "${1%%|*}"
}

packages_policy=/usr/sbin/policy-rc.d
packages_policy_mark='# made for the time of one installation'
packages_policy_is_ours=
packages_quiet_services() { # one that a killed installation left is ours as well
	[ ! -e "$packages_policy" ] || grep -qxF "$packages_policy_mark" "$packages_policy" || return 0
	packages_policy_is_ours=1
	printf '#!/bin/sh\n%s\nexit 101\n' "$packages_policy_mark" >"$packages_policy"
	chmod 755 "$packages_policy"
}
packages_restore_services() {
	[ -z "$packages_policy_is_ours" ] || rm -f "$packages_policy"
	packages_policy_is_ours=
}

packages_apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 \
		-o Dpkg::Options::=--force-confold "$@" </dev/null
}

# Debian's lxc brings a bridge of its own, lxcbr0, that nobody here asked for. Masked before it is there, so that it never
# starts; a host that had lxc already keeps its ways, and one that masked it itself keeps that. The command notes that it
# was us, before it is so.
packages_hold_lxc_net() { # packages_hold_lxc_net [COMMAND…]
	packages_has_systemd && ! packages_is_installed lxc || return 0
	[ "$(systemctl is-enabled lxc-net.service 2>/dev/null)" != masked ] || return 0
	[ $# = 0 ] || "$@"
	systemctl --quiet mask lxc-net.service 2>/dev/null || warn "lxc-net could not be masked"
}
# Only where we did it. Then noted as done: who masks it later has reasons of their own.
packages_release_lxc_net() {
	packages_has_systemd && [ "$(conf_get LODGE_MASKED_LXC_NET)" = 1 ] || return 0
	if systemctl --quiet unmask lxc-net.service 2>/dev/null; then
		conf_put LODGE_MASKED_LXC_NET 0
	else
		warn "lxc-net stays masked: systemctl unmask lxc-net.service"
	fi
}

packages_install() { # packages_install LOG PACKAGES…
	local log=$1 entry code=0 missing chosen=()
	shift
	mapfile -t missing < <(packages_missing "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	command -v apt-get >/dev/null || die "these packages are missing, and there is no apt-get: ${missing[*]}"
	say "installing ${#missing[@]} packages: ${missing[*]}"
	packages_apt update >"$log" 2>&1 || warn "the package lists are not fresh: $(tail -n 1 "$log")"
	for entry in "${missing[@]}"; do
		chosen+=("$(packages_choose "$entry")")
	done
	packages_hold_lxc_net
	packages_quiet_services
	packages_apt install --no-install-recommends "${chosen[@]}" >>"$log" 2>&1 || code=$?
	packages_restore_services
	[ $code = 0 ] || { tail -n 20 "$log" >&2; die "packages could not be installed (all of it: $log)"; }
}
