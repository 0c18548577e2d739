#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a small bootable ISO for a first virtual machine and prints its path: Debian's cloud kernel and a
# busybox that loads the drivers of virtual hardware, asks DHCP, shows its address and disks on screen and
# first serial port, says "lodge-iso ready" and gives a shell there. A power button shuts it down, and so does
# libvirtd by the channel of the guest agent, where there is one.
#
#   make-iso.sh [-c CACHE]
#
# Needs: busybox-static, grub-pc-bin, grub-common, xorriso, mtools, kmod, cpio; the kernel's package is
# fetched by apt-get unless LODGE_KERNEL_DEB names one. CACHE is /var/cache/lodge unless LODGE_CACHE_DIR
# or -c says otherwise; what was made before is taken from there.
set -eu

die() {
	echo "make-iso: $*" >&2
	exit 1
}

modules="virtio_pci virtio_blk virtio_scsi virtio_net virtio_balloon virtio_console sd_mod sr_mod ata_piix isofs evdev button"

cache=${LODGE_CACHE_DIR:-/var/cache/lodge}
[ "${1:-}" != -c ] || { cache=${2:?folder}; shift 2; }
[ $# = 0 ] || die "usage: make-iso.sh [-c CACHE]"
iso=$cache/lodge.iso
mkdir -p "$cache"
maker=$(sha256sum <"$0" | cut -c1-64) # an image of an earlier version of this script is made anew
if [ -s "$iso" ] && [ "$(cat "$iso.maker" 2>/dev/null)" = "$maker" ]; then
	echo "$iso"
	exit
fi
for tool in busybox grub-mkrescue xorriso mformat modprobe depmod cpio gzip; do
	command -v "$tool" >/dev/null || die "$tool is missing"
done
work=$(mktemp -d "$cache/iso.XXXXXX")
trap 'rm -rf "$work"' EXIT

kernel_package() { # prints the path of the kernel's .deb
	local name
	if [ -n "${LODGE_KERNEL_DEB:-}" ]; then
		echo "$LODGE_KERNEL_DEB"
		return
	fi
	name=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
	[ -n "$name" ] || die "apt knows no cloud kernel (run apt-get update)"
	(cd "$work" && apt-get -q download "$name" >apt.log 2>&1) || die "could not fetch $name"
	echo "$work/$name"_*.deb
}

unpack_kernel() { # modules lie in /lib up to Debian 12, in /usr/lib from 13 on; kmod looks in its own release's
	local k=$work/kernel
	dpkg-deb -x "$(kernel_package)" "$k"
	mkdir -p "$k/lib" "$k/usr/lib"
	[ -e "$k/lib/modules" ] || ln -s ../usr/lib/modules "$k/lib/modules"
	[ -e "$k/usr/lib/modules" ] || ln -s ../../lib/modules "$k/usr/lib/modules"
	version=$(ls "$k/lib/modules")
	depmod -b "$k" "$version"
}

copy_modules() { # the modules and what they need, in the order in which to load them; none is compressed then
	local module name
	mkdir -p "$work/root/modules"
	for module in $modules; do
		modprobe -d "$work/kernel" -S "$version" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' |
		while read -r path; do
			name=$(basename "$path" .xz)
			case $path in
			*.xz) busybox xzcat "$path" >"$work/root/modules/$name" ;;
			*) cp "$path" "$work/root/modules/" ;;
			esac
			echo "$name" >>"$work/root/modules/order"
		done
}

make_root() {
	local r=$work/root
	mkdir -p "$r"/{bin,dev,proc,sys,run,tmp,mnt,etc/acpi/PWRF,usr/share/udhcpc}
	cp "$(command -v busybox)" "$r/bin/busybox"
	cat >"$r/usr/share/udhcpc/default.script" <<-'EOF'
		#!/bin/busybox sh
		case $1 in
		bound | renew)
			busybox ip address flush dev "$interface"
			busybox ip address add "$ip/${mask:-24}" dev "$interface"
			for r in $router; do busybox ip route add default via "$r" dev "$interface"; done
			for d in $dns; do echo "nameserver $d"; done >/etc/resolv.conf
			;;
		esac
	EOF
	cat >"$r/etc/acpi/PWRF/00000080" <<-'EOF'
		#!/bin/busybox sh
		busybox sync
		busybox poweroff -f
	EOF
	cat >"$r/init" <<-'EOF'
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		export PATH=/bin HOME=/tmp
		mount -t devtmpfs dev /dev
		mount -t proc proc /proc
		mount -t sysfs sys /sys
		echo 1 >/proc/sys/kernel/printk
		while read -r module; do insmod "/modules/$module"; done </modules/order
		say() { echo "$@" >/dev/tty0; echo "$@" >/dev/ttyS0; } 2>/dev/null
		ip link set lo up
		for path in /sys/class/net/e*; do
			[ -e "$path" ] || continue
			nic=${path##*/}
			ip link set "$nic" up
			udhcpc -q -n -t 5 -T 1 -i "$nic" -s /usr/share/udhcpc/default.script >/dev/null 2>&1
			say "lodge-iso address: $nic $(ip -4 -o address show dev "$nic" | awk '{print $4}')"
		done
		# CD drives show up a moment after their controller
		for try in 1 2 3 4 5 6 7 8 9 10; do
			[ -e /sys/block/sr0 ] && break
			usleep 100000
		done
		for path in /sys/block/sd* /sys/block/vd* /sys/block/sr*; do
			[ -e "$path" ] && say "lodge-iso disk: ${path##*/} $(cat "$path/size")"
		done
		[ -e /sys/block/sr0 ] && mount -t iso9660 -o ro /dev/sr0 /mnt &&
			say "lodge-iso medium: $(cat /mnt/lodge-iso.txt)"
		acpid -l /dev/null -p /run/acpid.pid
		# What libvirtd asks before a shutdown, and that itself. The port stays open: closing it would end libvirtd's
		# connection. While nobody is at its other end, reading ends at once.
		agent() { # agent PORT
			exec 3<>"$1"
			while :; do
				read -r line <&3 || { usleep 200000; continue; }
				case $line in
				*guest-sync*) echo "{\"return\": $(echo "$line" | sed 's/.*"id": *\([0-9]*\).*/\1/')}" ;;
				*guest-shutdown*) sync; poweroff -f ;;
				*) echo '{"return": {}}' ;;
				esac >&3
			done
		}
		for path in /sys/class/virtio-ports/*; do
			[ "$(cat "$path/name" 2>/dev/null)" = org.qemu.guest_agent.0 ] || continue
			agent "/dev/${path##*/}" &
			say "lodge-iso agent"
		done
		say "lodge-iso ready"
		while :; do setsid -c sh </dev/ttyS0 >/dev/ttyS0 2>&1; sleep 1; done &
		while :; do setsid -c sh </dev/tty1 >/dev/tty1 2>&1; sleep 1; done
	EOF
	chmod 755 "$r/init" "$r/usr/share/udhcpc/default.script" "$r/etc/acpi/PWRF/00000080"
}

make_iso() {
	mkdir -p "$work/iso/boot/grub"
	cp "$work/kernel/boot/vmlinuz-$version" "$work/iso/boot/vmlinuz"
	(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -9) >"$work/iso/boot/initrd"
	echo "made by Lodge" >"$work/iso/lodge-iso.txt"
	cat >"$work/iso/boot/grub/grub.cfg" <<-'EOF'
		set timeout=0
		menuentry "Lodge" {
			linux /boot/vmlinuz console=tty0 console=ttyS0,115200 quiet panic=10
			initrd /boot/initrd
		}
	EOF
	grub-mkrescue -d /usr/lib/grub/i386-pc -o "$work/lodge.iso" "$work/iso" -- -volid LODGE \
		>"$work/grub.log" 2>&1 || die "grub-mkrescue: $(tail -1 "$work/grub.log")"
}

unpack_kernel
make_root
copy_modules
make_iso
chmod 644 "$work/lodge.iso"
mv "$work/lodge.iso" "$iso" # under its name only when complete
echo "$maker" >"$iso.maker"
echo "$iso"
