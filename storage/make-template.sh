#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a container template and prints its path. What was made before is taken from the cache.
#
#   make-template.sh [-c CACHE] [-m MIRROR] [-k KEYRING] busybox|debian|ubuntu [SUITE]
#
# busybox: a static busybox with DHCP on eth0, a few MiB, at once.  Needs: busybox-static.
# debian:  minimal Debian (bookworm) with systemd and DHCP on eth0. Needs: mmdebstrap, zstd, network.
# ubuntu:  minimal Ubuntu (noble) with systemd, netplan and DHCP on eth0. Needs: as debian, and its archive's KEYRING.
# CACHE is a folder below /var/cache/lodge or LODGE_CACHE_DIR unless -c names one.
set -eu

die() {
	echo "make-template: $*" >&2
	exit 1
}

need() {
	for tool; do
		command -v "$tool" >/dev/null || die "$tool is missing"
	done
}

# The archive appears under its name only when it is complete.
publish() { # publish TEMPORARY
	chmod 644 "$1"
	mv -f "$1" "$template"
}

network_file() { # network_file ROOT
	mkdir -p "$1/etc/network"
	printf 'auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet dhcp\n' \
		>"$1/etc/network/interfaces"
}

busybox_files() { # busybox_files ROOT
	for d in bin dev etc proc root run sbin sys tmp usr/bin usr/sbin usr/share/udhcpc var/log \
		etc/network/if-up.d etc/network/if-down.d etc/network/if-pre-up.d etc/network/if-post-down.d; do
		mkdir -p "$1/$d"
	done
	chmod 700 "$1/root"
	chmod 1777 "$1/tmp"
	cp "$(command -v busybox)" "$1/bin/busybox"
	chmod 755 "$1/bin/busybox"
	for applet in $("$1/bin/busybox" --list-full); do
		case $applet in
		bin/busybox | sbin/init | linuxrc) continue ;;
		esac
		mkdir -p "$1/${applet%/*}"
		ln -s /bin/busybox "$1/$applet"
	done
	ln -s /proc/mounts "$1/etc/mtab"
	ln -s /run "$1/var/run"
	network_file "$1"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
	echo 'root:*:19000:0:99999:7:::' >"$1/etc/shadow"
	echo 'root:x:0:' >"$1/etc/group"
	chmod 640 "$1/etc/shadow"
	echo '127.0.0.1 localhost' >"$1/etc/hosts"
	printf 'NAME=BusyBox\nID=busybox\nPRETTY_NAME="BusyBox container"\n' >"$1/etc/os-release"
}

# busybox' own init reboots on SIGTERM and knows no SIGPWR; containers are asked to halt by SIGPWR and
# to reboot by SIGINT.
busybox_init() { # busybox_init ROOT
	cat >"$1/sbin/init" <<-'END'
		#!/bin/sh
		PATH=/usr/sbin:/usr/bin:/sbin:/bin
		export PATH
		trap 'next=halt' PWR TERM USR1 USR2
		trap 'next=reboot' INT
		trap '' HUP
		next=

		: >/run/ifstate
		ifup -a >/dev/null 2>&1 &
		[ -x /etc/rc.local ] && /etc/rc.local &

		terminal() { # terminal NAME TYPE: log-ins there, one after the other
			while [ -c "/dev/$1" ]; do
				setsid getty -n -l /bin/login 0 "$1" "$2" <"/dev/$1" >"/dev/$1" 2>&1
				sleep 1
			done
		}
		terminal console linux &
		for tty in 1 2 3 4 5 6; do
			[ ! -c "/dev/tty$tty" ] || terminal "tty$tty" xterm &
		done

		# `wait` also takes in orphans; a signal ends it
		while [ -z "$next" ]; do
			sleep 86400 &
			wait $!
		done

		trap '' PWR TERM USR1 USR2 INT
		kill -TERM -1 2>/dev/null
		tries=30
		while set -- /proc/[0-9]* && [ "$tries" -gt 0 ] && [ $# -gt 1 ]; do
			sleep 0.1
			tries=$((tries - 1))
		done
		kill -KILL -1 2>/dev/null
		sync
		"$next" -f
	END
	chmod 755 "$1/sbin/init"
}

busybox_dhcp() { # busybox_dhcp ROOT
	cat >"$1/usr/share/udhcpc/default.script" <<-'END'
		#!/bin/sh
		case $1 in
		deconfig)
			ip addr flush dev "$interface"
			ip link set "$interface" up
			;;
		bound | renew)
			ip addr flush dev "$interface"
			ip addr add "$ip/${mask:-24}" dev "$interface"
			for r in ${router:-}; do
				ip route add default via "$r" dev "$interface" && break
			done
			: >/etc/resolv.conf
			[ -z "${domain:-}" ] || echo "search $domain" >>/etc/resolv.conf
			for s in ${dns:-}; do
				echo "nameserver $s" >>/etc/resolv.conf
			done
			;;
		esac
	END
	chmod 755 "$1/usr/share/udhcpc/default.script"
	mkdir -p "$1/etc/udhcpc" # where Debian's busybox looks
	ln -s ../../usr/share/udhcpc/default.script "$1/etc/udhcpc/default.script"
}

make_busybox() {
	need busybox tar gzip
	# a dynamic one would find no libraries in there
	! ldd "$(command -v busybox)" >/dev/null 2>&1 || die "busybox is not static: install busybox-static"
	mkdir "$work/root"
	busybox_files "$work/root"
	busybox_init "$work/root"
	busybox_dhcp "$work/root"
	tar -C "$work/root" --numeric-owner --owner=0 --group=0 --sort=name -czf "$work/out" .
	publish "$work/out"
}

# Undone for each container anew: what must not be the same in all of them.
# shellcheck disable=SC2016 # $1 is the shell's that mmdebstrap starts
debian_clean='rm -rf "$1"/etc/machine-id "$1"/var/lib/dbus/machine-id "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin
: >"$1"/etc/machine-id; rm -f "$1"/etc/hostname "$1"/etc/resolv.conf'

bootstrap() { # bootstrap PACKAGES OPTIONS…: makes out of suite, mirror and keyring
	need mmdebstrap zstd
	packages=$1
	shift
	[ -z "$keyring" ] || set -- --keyring="$keyring" "$@"
	TMPDIR=$work mmdebstrap --quiet --variant=minbase --mode=root --include="$packages" \
		--aptopt='Apt::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$@" --customize-hook="$debian_clean" \
		"$suite" "$work/out.tar" ${mirror:+"$mirror"} >&2
	zstd -q -T0 -6 "$work/out.tar" -o "$work/out"
	publish "$work/out"
}

# shellcheck disable=SC2016
make_debian() {
	network_file "$work"
	mv "$work/etc/network/interfaces" "$work/interfaces"
	bootstrap systemd-sysv,dbus,iproute2,udev,passwd,ifupdown,isc-dhcp-client,netbase,ca-certificates \
		--customize-hook='mkdir -p "$1"/etc/network' \
		--customize-hook="copy-in $work/interfaces /etc/network"
}

# As the distribution does it: netplan tells networkd, resolved resolves (before noble it is a part of systemd).
# shellcheck disable=SC2016
make_ubuntu() {
	case $suite in
	focal | jammy) resolved= ;;
	*) resolved=,systemd-resolved ;;
	esac
	printf 'network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n' >"$work/10-lodge.yaml"
	bootstrap "systemd-sysv,dbus,iproute2,udev,passwd,netplan.io,netbase,ca-certificates$resolved" \
		--components=main,universe \
		--customize-hook='mkdir -p "$1"/etc/netplan' \
		--customize-hook="copy-in $work/10-lodge.yaml /etc/netplan" \
		--customize-hook='chmod 600 "$1"/etc/netplan/10-lodge.yaml; chroot "$1" systemctl enable systemd-networkd systemd-resolved'
}

# of one's own for each version of this script
cache=${LODGE_CACHE_DIR:-/var/cache/lodge}/$(sha256sum <"$0" | cut -c1-12) mirror='' keyring=''
usage='usage: make-template.sh [-c CACHE] [-m MIRROR] [-k KEYRING] busybox|debian|ubuntu [SUITE]'
while getopts c:m:k: option; do
	case $option in
	c) cache=$OPTARG ;;
	m) mirror=$OPTARG ;;
	k) keyring=$OPTARG ;;
	*) die "$usage" ;;
	esac
done
shift $((OPTIND - 1))
kind=${1:-} arch=$(dpkg --print-architecture)
[ "$kind" = ubuntu ] && suite=${2:-noble} || suite=${2:-bookworm}
case $kind in
busybox) template=$cache/busybox_$arch.tar.gz ;;
debian | ubuntu) template=$cache/$kind-${suite}_$arch.tar.zst ;;
*) die "$usage" ;;
esac

if [ ! -s "$template" ]; then
	[ "$(id -u)" = 0 ] || die "needs root"
	mkdir -p "$cache"
	work=$(mktemp -d "$cache/.make-XXXXXX")
	chmod 711 "$work" # apt fetches as a user of its own
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' HUP INT TERM
	"make_$kind"
fi
echo "$template"
