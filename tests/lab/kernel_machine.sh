# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A Debian 12 machine with Debian's own kernel, emulated: unified control groups, AppArmor, VLANs, device rules and
# whatever else the kernel that runs the tests may lack. Sourced after lib.sh and systemd_tree.sh.
#
#   kernel_image              prints the folder of its disk, kernel and initrd; or what went wrong, and returns as
#                             tree_archive does
#   kernel_run FOLDER PAYLOAD SECONDS
#                             boots it from a copy of that disk. PAYLOAD is a tar, unpacked to /lab in there; what
#                             /lab/machine.sh says on its standard output comes out here; it ends with the machine
#
# /dev/vdc and /dev/vdd are empty disks of 2 GiB and 512 MiB.
# shellcheck disable=SC2154

kernel_packages="systemd-sysv dbus udev kmod procps passwd python3-minimal linux-image-amd64 apparmor lxc lxcfs uidmap
	dnsmasq-base nftables iproute2 iputils-ping e2fsprogs btrfs-progs util-linux mount curl ca-certificates zstd
	busybox-static libjson-c5 libmicrohttpd12 libsystemd0 libsqlite3-0 libarchive13 libcurl3-gnutls libseccomp2
	libnettle8 libgnutls30 libxml2 libwslay1"
# What has no use in it goes; what runs the tests comes with each run, on a disk of its own.
# shellcheck disable=SC2016
kernel_hook='systemctl mask systemd-timesyncd.service getty.target apt-daily.timer apt-daily-upgrade.timer \
	e2scrub_all.timer e2scrub_reap.service fstrim.timer dpkg-db-backup.timer lxc-net.service lxc.service
rm -f /etc/machine-id /etc/hostname /initrd.img* /boot/initrd.img*; : >/etc/machine-id
cat >/etc/systemd/system/lab.service <<-END
	[Unit]
	After=multi-user.target
	[Service]
	ExecStart=/bin/sh -c "mkdir -p /lab && tar -C /lab -xf /dev/vdb && exec /lab/machine.sh"
	KillMode=process
	Delegate=yes
	[Install]
	WantedBy=graphical.target multi-user.target
END
systemctl enable lab.service'
kernel_modules="virtio_pci virtio_blk virtio_console ext4"

kernel_image() {
	local archive folder tool
	for tool in qemu-system-x86_64 qemu-img mke2fs modprobe cpio zstd; do
		command -v $tool >/dev/null || { echo "$tool is missing"; return 1; }
	done
	archive=$(tree_archive kernel bookworm "$kernel_packages" "$kernel_hook") ||
		{ folder=$?; echo "$archive"; return $folder; }
	folder=${archive%.tar.zst}
	if [ ! -e "$folder/disk" ] || [ "$folder" -ot "$archive" ]; then
		rm -rf "$tree_cache"/kernel-bookworm-*/
		mkdir -p "$folder/root" && kernel_image_make "$archive" "$folder" >"$folder/log" 2>&1 ||
			{ tail -n 1 "$folder/log"; return 2; }
	fi
	echo "$folder"
}
kernel_image_make() ( # kernel_image_make ARCHIVE FOLDER
	set -e
	root=$2/root
	tree_unpack "$1" "$root"
	cp -L "$root"/boot/vmlinuz-* "$2/vmlinuz"
	kernel_initrd "$root" "$2/initrd"
	truncate -s 6G "$2/disk.new"
	mke2fs -q -F -t ext4 -m 0 -d "$root" "$2/disk.new"
	rm -rf "$root"
	kernel_first_boot "$2"
	touch "$2"
	mv "$2/disk.new" "$2/disk"
)
# Once, for what a first boot leaves: a machine id, and AppArmor's profiles compiled for this kernel (14 s of a boot).
kernel_first_boot() ( # kernel_first_boot FOLDER
	set -e
	printf '#!/bin/sh\nsync\npoweroff -f\n' >"$1/machine.sh"
	chmod 755 "$1/machine.sh"
	tar -C "$1" -cf "$1/first.tar" machine.sh
	kernel_boot "$1" "$1/disk.new" raw "$1/first.tar" 300 "$1/console"
	rm "$1/machine.sh" "$1/first.tar"
)
# Only what leads to the root file system: Debian's own initrd takes several times as long here.
kernel_initrd() ( # kernel_initrd ROOT FILE
	set -e
	work=$(mktemp -d "$2.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	mkdir -p "$work"/{bin,dev,proc,sys,root,modules}
	cp "$1/bin/busybox" "$work/bin/busybox"
	for module in $kernel_modules; do
		modprobe -d "$1" -S "$(ls "$1/lib/modules")" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
		cp "$path" "$work/modules/"
		basename "$path" >>"$work/modules/order"
	done
	cat >"$work/init" <<-'END'
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		mount -t devtmpfs dev /dev
		while read -r module; do insmod "/modules/$module"; done </modules/order
		until mount -t ext4 /dev/vda /root; do usleep 10000; done 2>/dev/null
		mount --move /dev /root/dev
		exec switch_root /root /sbin/init
	END
	chmod 755 "$work/init"
	(cd "$work" && find . | cpio -o -H newc --quiet) | gzip -1 >"$2"
)

kernel_boot() { # kernel_boot FOLDER DISK FORMAT PAYLOAD SECONDS CONSOLE [OPTIONS OF QEMU]
	# shellcheck disable=SC2054
	local qemu=(qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max,la57=off -smp 2 -m 2048
		-no-user-config -nodefaults -display none -no-reboot -serial "file:$6"
		-kernel "$1/vmlinuz" -initrd "$1/initrd"
		-append "console=ttyS0 quiet mitigations=off random.trust_cpu=on systemd.hostname=real"
		-drive "file=$2,format=$3,if=virtio,cache=unsafe"
		-drive "file=$4,format=raw,if=virtio,readonly=on"
		-netdev user,id=lan,restrict=on -device virtio-net-pci,netdev=lan -device virtio-rng-pci
		-device virtio-serial-pci -chardev file,id=tap,path=/dev/stdout -device virtserialport,chardev=tap,name=tap)
	timeout -k 5 "$5" "${qemu[@]}" "${@:7}" </dev/null
}
kernel_run() { # kernel_run FOLDER PAYLOAD SECONDS
	qemu-img create -q -f qcow2 -F raw -b "$1/disk" "$LAB/kernel.disk" &&
		truncate -s 2G "$LAB/kernel.spare" && truncate -s 512M "$LAB/kernel.swap" || return
	kernel_boot "$1" "$LAB/kernel.disk" qcow2 "$2" "$3" "$LAB/kernel.console" \
		-drive "file=$LAB/kernel.spare,format=raw,if=virtio,cache=unsafe" \
		-drive "file=$LAB/kernel.swap,format=raw,if=virtio,cache=unsafe"
}
