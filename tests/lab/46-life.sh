#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots, copies, templates, growing and moving of containers, on btrfs and on a folder; jobs and core killed in each
# of them; many at once; a storage that goes away and comes back. 46-life.sh [calls|kill|many|away [CASES]] runs one part.
# limit: 900
. "$(dirname "$(readlink -f "$0")")/lib.sh"
only=${1:-} cases=${2:-}
part() { [ -z "$only" ] || [ "$only" = "$1" ]; }
product_make
"$python" -c 'import proxmoxer' 2>/dev/null || skip_all "python3-proxmoxer is not installed"
busybox=$(template_busybox) || skip_all "no busybox template"
cp "$busybox" "$LAB/busybox.tar.gz"
lab_residue_before
ok "a node" lab_start n1
ok "the product answers on it" product_up n1
ok "an administrator made by the CLI" product_admin n1
in1() { lab_in n1 "$@"; }
in1 sh -c 'mkdir -p /srv/btr /srv/img && truncate -s 4G /var/lib/lodge/btr.img && mkfs.btrfs -q /var/lib/lodge/btr.img &&
	mount -o loop /var/lib/lodge/btr.img /srv/btr' || skip_all "no btrfs here"
ok "a storage on btrfs" in1 lodge post /storage --storage btr --type btrfs --path /srv/btr --content rootdir,images
ok "and one more folder" in1 lodge post /storage --storage img --type dir --path /srv/img --content rootdir,images
in1 sh -c 'mkdir -p /srv/away && truncate -s 1G /var/tmp/away.img && mkfs.ext4 -q -F /var/tmp/away.img'
here_again() { in1 mount -o loop /var/tmp/away.img /srv/away; }
ok "and one on a file system of its own" here_again
ok "which has to be mounted" in1 lodge storage add away dir --path /srv/away --content rootdir,images --is_mountpoint yes
ok "a template" in1 lodge upload /lab/busybox.tar.gz local:vztmpl
# quota is switched on with the first limit, and stays
ok "what comes once is there" in1 sh -c 'lodge create 199 --ostemplate local:vztmpl/busybox.tar.gz --rootfs btr:0.1 &&
	lodge destroy 199'
ok "what the node has now is noted" node_residue_before n1
part calls && tap 300 client n1 proxmoxer_life.py local:vztmpl/busybox.tar.gz $cases
moments=${LODGE_TEST_MOMENTS:-5}
[ "${LODGE_TEST_FULL:-0}" = 0 ] || moments=${LODGE_TEST_MOMENTS:-30}
part kill && tap 800 client n1 life_kill.py local:vztmpl/busybox.tar.gz "$moments" $cases
part many && tap 600 client n1 life_many.py local:vztmpl/busybox.tar.gz "${LODGE_TEST_MANY:-50}"
# a job that cannot put back what it began leaves that to its undo, which goes on until the storage is there again
field() { in1 lodge get "/nodes/n1/$1" | sed -n "s/^ *\"$2\": *\"\(.*\)\",\{0,1\}$/\1/p"; }
locked() { [ "$(field lxc/150/config lock)" = "$1" ]; }
away_and_back() { # away_and_back CALL FILE: CALL fills FILE on the storage, whose file system goes meanwhile
	local upid
	upid=$(in1 lodge post $1 --bwlimit 512 --no-wait)
	ok "$1 fills a volume" wait_for 30 in1 sh -c "du -k /srv/away/images/$2 | grep -q '^[0-9][0-9][0-9]'"
	in1 umount -l /srv/away
	in1 lodge task stop "$upid"
	ok "it is stopped" wait_for 30 sh -c "'$LAB/n1/in' lodge get '/nodes/n1/tasks/$upid/status' | grep -q stopped"
	ok "and says why itself" is "interrupted by signal" "$(field "tasks/$upid/status" exitstatus | sed 's/.*: //')"
}
away() {
	ok "a container" in1 lodge create 150 --ostemplate local:vztmpl/busybox.tar.gz --rootfs img:0.1 --memory 64
	away_and_back "/nodes/n1/lxc/150/move_volume --volume rootfs --storage away --delete 1" "150/vm-150-disk-*"
	ok "the volume stays locked" locked disk
	here_again
	ok "until the storage is back" wait_for 60 locked ""
	ok "where nothing is left" not in1 ls -d /srv/away/images/150
	away_and_back "/nodes/n1/lxc/150/clone --newid 151 --storage away --full 1" "151/vm-151-disk-*"
	ok "the source of a copy is free at once" wait_for 10 locked ""
	ok "the copy is still there" in1 lodge get /nodes/n1/lxc/151/config
	here_again
	ok "and goes with the storage back" wait_for 60 not in1 lodge get /nodes/n1/lxc/151/config
	ok "where nothing is left of it" not in1 ls -d /srv/away/images/151
	ok "the container is whole" in1 sh -c 'lodge start 150 && lodge stop 150 && lodge destroy 150'
}
if part away; then away; fi
ok "nothing is left of it" node_residue_after n1
subvolumes() { in1 sh -c 'ls -A /srv/btr/images /srv/img/images 2>/dev/null | grep -v : | xargs echo'; }
ok "nor in the storages" is "" "$(subvolumes)"
lab_stop_all
ok "nothing is left on the host" lab_residue_after
