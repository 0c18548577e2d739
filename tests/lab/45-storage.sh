#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Storages: hostile and broken uploads, a full disk, downloads, a file system that never answers, guests on btrfs.
# limit: 300
. "$(dirname "$(readlink -f "$0")")/lib.sh"
product_make
busybox=$(template_busybox) || skip_all "no busybox template"
cp "$busybox" "$LAB/busybox.tar.gz"
lab_residue_before
ok "a node" lab_start n1
ok "the product answers on it" product_up n1
ok "an administrator made by the CLI" product_admin n1
in1() { lab_in n1 "$@"; }
store=/var/lib/lodge/local
mounted() { in1 mountpoint -q "$1"; }

# two file systems of their own, on images
in1 sh -c 'mkdir -p /srv/small /srv/btr && truncate -s 64M /var/tmp/small.img && mkfs.ext4 -q -F /var/tmp/small.img &&
	mount -o loop /var/tmp/small.img /srv/small' || skip_all "no loop mounts in a node"
ok "a storage of its own" in1 lodge storage add small dir --path /srv/small --content iso,images,rootdir --is_mountpoint yes
ok "it is listed with its capacity" sh -c "'$LAB/n1/in' lodge storage list | grep -E '^small +dir +1 '"
ok "a second one within it is refused" not in1 lodge storage add inner dir --path /srv/small/inner
ok "a storage where nothing is mounted is refused" not in1 lodge storage add none dir --path /srv/btr --is_mountpoint yes
ok "and not defined" not in1 lodge get /storage/none

# uploads: every one must leave exactly what it says
files() { in1 sh -c "find $store /srv/small -type f ! -path '*/images/*' ! -path '*/lost+found/*' | sort"; }
files >"$LAB/files"
tap 150 client n1 storage_uploads.py
same_files() { files | diff "$LAB/files" -; }
ok "no file is left" wait_for 10 same_files
ok "no reservation is left" wait_for 5 in1 sh -c '! ls /run/lodge/reserve/*/* 2>/dev/null'

# downloads, from a server on the switch
mkdir "$LAB/www"
head -c 3000000 /dev/urandom >"$LAB/www/a.iso"
gzip -k "$LAB/www/a.iso"
zstd -q "$LAB/www/a.iso"
head -c 90000000 /dev/zero >"$LAB/www/big.iso"
cp "$here/storage_server.py" "$LAB/"
# as one process, which ends with this shell at the latest
lab_child nsenter -t "$lab_switch" -n -- "$python" "$LAB/storage_server.py" "$LAB/www" 8080 >"$LAB/server.log" 2>&1 &
server=$!
host=$(lab_net ip -4 -o address show | grep -o '198\.51\.100\.[0-9]*' | head -1)
wait_for 10 grep -q ready "$LAB/server.log"
url=http://$host:8080
sum=$(sha256sum <"$LAB/www/a.iso" | cut -d' ' -f1)
ok "download" in1 lodge download "$url/a.iso" local:iso --checksum "$sum" --checksum-algorithm sha256
ok "it is the same" sh -c "'$LAB/n1/in' cat $store/template/iso/a.iso | cmp - '$LAB/www/a.iso'"
ok "a name in use is refused" not in1 lodge download "$url/a.iso" local:iso
wrong=$(printf %s "$sum" | tr 0-9a-f 1-9a-f0)
ok "a wrong sum" not in1 lodge download "$url/a.iso" local:iso --filename b.iso --checksum "$wrong" --checksum-algorithm sha256
for kind in gz zst; do
	ok "unpacked from $kind" in1 lodge download "$url/a.iso.$kind" local:iso --filename "$kind.iso" --compression $kind
	ok "it is the same" sh -c "'$LAB/n1/in' cat $store/template/iso/$kind.iso | cmp - '$LAB/www/a.iso'"
done
ok "what is not compressed is refused" not in1 lodge download "$url/a.iso" local:iso --filename c.iso --compression gz
ok "redirects are followed" in1 lodge download "$url/redirect/3/a.iso" local:iso --filename redirected.iso
ok "not for ever" not in1 lodge download "$url/redirect/9/a.iso" local:iso --filename many.iso
ok "nor to files of the host" not in1 lodge download "$url/file" local:iso --filename file.iso
ok "an error of the server" not in1 lodge download "$url/none.iso" local:iso
ok "with a password in its address" not in1 lodge download "http://joe:geheim@$host:8080/none.iso" local:iso
ok "which nobody is told" not in1 grep -rq geheim /var/lib/lodge/tasks
ok "more than there is room for is known at once" sh -c "! '$LAB/n1/in' lodge download '$url/big.iso' small:iso >'$LAB/big' 2>&1 &&
	grep -q 'bytes are needed\\|are needed' '$LAB/big'"
upid=$(in1 lodge download "$url/slow.iso" local:iso --no-wait)
ok "a slow one runs" wait_for 10 in1 sh -c "ls -A $store/template/iso | grep -q lodge-import"
ok "it is stopped" in1 lodge task stop "$upid"
ok "and leaves nothing" wait_for 15 in1 sh -c "! ls -A $store/template/iso | grep -q lodge-import"
ok "what a server says of a file" sh -c "'$LAB/n1/in' lodge get /nodes/n1/query-url-metadata --url '$url/a.iso' | grep -q '\"size\": *3000000'"
in1 sh -c "rm -f $store/template/iso/*.iso"
ok "no file is left" wait_for 10 same_files

ok "templates that can be made" sh -c "'$LAB/n1/in' lodge get /nodes/n1/aplinfo | grep -q busybox_"
apl=$(in1 lodge get /nodes/n1/aplinfo | grep -o 'busybox_[a-z0-9]*.tar.gz' | head -1)
made() { in1 lodge post /nodes/n1/aplinfo --storage local --template "$apl" && wait_for 30 in1 test -s "$store/template/cache/$apl"; }
ok "one is made" made

# a file system that never answers
kill "$server"
wait "$server" 2>/dev/null
cp "$here/storage_fuse.py" "$LAB/"
in1 mkdir -p /srv/hang
ok "a storage" in1 lodge storage add hang dir --path /srv/hang --content iso,images
if in1 sh -c 'exec 3<>/dev/fuse'; then
	lab_spawn n1 "$python" /lab/storage_fuse.py /srv/hang
	ok "whose file system never answers" wait_for 10 in1 grep -q '^hang /srv/hang' /proc/mounts
	tap 200 client n1 storage_hang.py
	in1 pkill -f storage_fuse.py
	ok "the core goes on" api_answers n1
else
	skip "a file system that never answers" "no FUSE here"
fi
in1 lodge storage remove hang

# btrfs, where the kernel has it
if in1 sh -c 'truncate -s 3G /var/tmp/btr.img && mkfs.btrfs -q /var/tmp/btr.img && mount -o loop /var/tmp/btr.img /srv/btr'; then
	ok "a btrfs storage" in1 lodge storage add btr btrfs --path /srv/btr --content images,rootdir,vztmpl
	ok "a dir is no btrfs" not in1 lodge storage add wrong btrfs --path /srv/other
	in1 lodge upload /lab/busybox.tar.gz local:vztmpl >/dev/null
	ok "a container on it" in1 lodge create 140 --ostemplate local:vztmpl/busybox.tar.gz --rootfs btr:0.2 --memory 64 \
		--hostname btr --start 1
	ok "it has a subvolume" in1 btrfs subvolume show /srv/btr/images/140/subvol-140-disk-0
	ok "of its size" sh -c "'$LAB/n1/in' btrfs qgroup show -r --raw /srv/btr | grep -q 213909504"
	ok "it runs" wait_for 10 sh -c "'$LAB/n1/in' lodge ls | grep -E '^ *140 .*running'"
		ok "it cannot fill more than its size" not in1 lxc-attach -P /run/lodge/ct -n 140 -- dd if=/dev/urandom of=/big bs=1M count=400
	in1 lxc-attach -P /run/lodge/ct -n 140 -- rm -f /big
	ok "it is listed as a root directory" sh -c "'$LAB/n1/in' lodge get /nodes/n1/storage/btr/content | grep -q subvol-140-disk-0.subvol"
	ok "it goes" in1 lodge destroy 140 --force 1
	ok "with its subvolume" not in1 test -e /srv/btr/images/140
	if in1 test -x /usr/libexec/lodge/lodge-task-vm; then
		ok "a machine on it" in1 lodge post /nodes/n1/qemu --vmid 141 --kvm 0 --memory 64 --scsi0 btr:1 --scsi1 btr:1,format=qcow2
		made() { in1 test -s /srv/btr/images/141/vm-141-disk-0/disk.raw && in1 sh -c 'ls /srv/btr/images/141/vm-141-disk-1.qcow2'; }
		ok "its disks are an image in a subvolume and a qcow2 file" wait_for 20 made
		ok "a storage with volumes is not removed by mistake" not in1 lodge storage remove btr
		ok "it goes" in1 lodge delete /nodes/n1/qemu/141
		ok "with its disks" wait_for 20 in1 sh -c '! test -e /srv/btr/images/141'
	fi
	ok "the storage goes" in1 lodge storage remove btr
	in1 umount /srv/btr
else
	skip "guests on btrfs" "no btrfs here"
fi
ok "the small storage goes, its files stay" in1 sh -c 'lodge storage remove small && test -d /srv/small/template'
in1 umount /srv/small
lab_stop_all
ok "nothing is left on the host" lab_residue_after
