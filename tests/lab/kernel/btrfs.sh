# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Containers on btrfs: quota, snapshot and rollback, a linked clone of a template.

on_btrfs() { # on_btrfs OPTIONS OF CREATE
	local id=$1
	shift
	create "$id" --rootfs btr:0.125 "$@"
}
fills() { inside "$1" dd if=/dev/zero of=/fill bs=1M count="$2"; }
makes_subvolume() { # what it says, whether well or not
	inside "$1" mkdir -p /data
	inside "$1" probe subvolume /data
	:
}
readable() { inside "$1" cat "$2" 2>/dev/null; }

ok "a btrfs" sh -c 'mkfs.btrfs -q -f /dev/vdc && mkdir -p /srv/btr && mount /dev/vdc /srv/btr'
ok "a storage on it" lodge storage add btr btrfs --path /srv/btr --content images,rootdir,vztmpl
ok "a container on it" on_btrfs 402
ok "start" lodge start 402
ok "the list of subvolumes has it" says subvol-402-disk-0 btrfs subvolume list /srv/btr
ok "its root is a subvolume" btrfs subvolume show "/srv/btr/images/402/subvol-402-disk-0"
ok "it writes" inside 402 sh -c 'echo old >/state'
put_probe 402
ok "a subvolume of its own would not be counted" says "Inappropriate ioctl" makes_subvolume 402
ok "quota: what is beyond its size is refused" fails_with "quota" fills 402 200
ok "resize: more quota, while it runs" lodge resize 402 rootfs 256M
ok "it can be used" fills 402 180
ok "snapshot, while it runs" lodge snapshot create 402 before
ok "it goes on" inside 402 sh -c 'echo new >/state && rm /fill'
lodge stop 402 >"$out" 2>&1
ok "rollback" lodge rollback 402 before
ok "start" lodge start 402
ok "what was is back" is old "$(readable 402 /state)"
lodge stop 402 >"$out" 2>&1
ok "a snapshot is removed" lodge snapshot remove 402 before
ok "a template of it" lodge template 402
ok "a linked clone" lodge clone 402 403
ok "that starts" lodge start 403
ok "and has what it had" is old "$(readable 403 /state)"
ok "and writes what is its own" inside 403 sh -c 'echo own >/state && rm /fill'
ok "stop" lodge stop 403
ok "features: nesting" change 403 --features nesting=1
ok "start" lodge start 403
put_probe 403
ok "then it may have one" is ok "$(makes_subvolume 403)"
ok "stop" lodge stop 403
ok "destroy" lodge destroy 403
ok "and the template" lodge destroy 402
ok "no subvolume is left" lacks 'disk|40[23]' btrfs subvolume list /srv/btr
ends btrfs
