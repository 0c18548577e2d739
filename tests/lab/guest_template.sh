#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a template that is laid out as a distribution's, from packages of this host's, and prints its path. What was made
# before is taken from the cache.
#
#   guest_template.sh debian|ubuntu|alpine
#
# debian: systemd and ifupdown. ubuntu: systemd, netplan and networkd, under Ubuntu's name. alpine: a static busybox,
# whose ifup reads /etc/network/interfaces, under Alpine's name.
set -eu

die() {
	echo "guest_template: $*" >&2
	exit 1
}
need() {
	for tool; do command -v "$tool" >/dev/null || die "$tool is missing"; done
}

# shellcheck disable=SC2016 # $1 is the shell's that mmdebstrap starts
clean='rm -rf "$1"/etc/machine-id "$1"/var/lib/dbus/machine-id "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin
: >"$1"/etc/machine-id; rm -f "$1"/etc/hostname "$1"/etc/resolv.conf'
debootstrap() { # debootstrap PACKAGES [HOOK]
	need mmdebstrap zstd
	mmdebstrap --quiet --variant=minbase --mode=root --include="systemd-sysv,dbus,iproute2,udev,passwd,netbase,tzdata,iputils-ping,$1" \
		--aptopt='Apt::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook="$clean" --customize-hook="${2:-true}" bookworm "$work/out.tar" >&2
	zstd -q -T0 -3 "$work/out.tar" -o "$work/out"
}
make_debian() { debootstrap ifupdown,isc-dhcp-client; }
# shellcheck disable=SC2016
make_ubuntu() {
	debootstrap netplan.io,libnss-resolve,systemd-resolved '
		rm -f "$1"/etc/os-release
		printf "NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n" >"$1"/etc/os-release
		mkdir -p "$1"/etc/netplan
		printf "network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n" >"$1"/etc/netplan/10-lxc.yaml
		chmod 600 "$1"/etc/netplan/10-lxc.yaml
		ln -sf ../run/systemd/resolve/stub-resolv.conf "$1"/etc/resolv.conf'
}
make_alpine() {
	need tar gzip
	root=$work/root
	mkdir "$root"
	tar -xzf "$("$here/make-template.sh" busybox)" -C "$root"
	rm -f "$root/etc/os-release"
	printf 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.21.0\n' >"$root/etc/os-release"
	mkdir -p "$root/etc/runlevels/boot" "$root/usr/share/zoneinfo/Europe"
	cp /usr/share/zoneinfo/Europe/Berlin "$root/usr/share/zoneinfo/Europe/Berlin"
	: >"$root/etc/network/interfaces"
	tar -C "$root" --numeric-owner --owner=0 --group=0 -czf "$work/out" .
}

here=$(dirname "$(readlink -f "$0")")
cache=/var/cache/lodge-test
kind=${1:-}
case $kind in
debian | ubuntu) suffix=tar.zst ;;
alpine) suffix=tar.gz ;;
*) die "usage: guest_template.sh debian|ubuntu|alpine" ;;
esac
template=$cache/guest-$kind-$(sha256sum <"$0" | cut -c1-12).$suffix
if [ ! -s "$template" ]; then
	mkdir -p "$cache"
	work=$(mktemp -d "$cache/.make-XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' HUP INT TERM
	"make_$kind"
	chmod 644 "$work/out"
	mv -f "$work/out" "$template"
fi
echo "$template"
