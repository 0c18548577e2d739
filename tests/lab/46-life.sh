#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots, copies, templates, growing and moving of containers, on btrfs and on a folder; jobs and core killed in each
# of them; many at once. 46-life.sh [calls|kill|many [CASES]] runs one part.
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
ok "nothing is left of it" node_residue_after n1
subvolumes() { in1 sh -c 'ls -A /srv/btr/images /srv/img/images 2>/dev/null | grep -v : | xargs echo'; }
ok "nor in the storages" is "" "$(subvolumes)"
lab_stop_all
ok "nothing is left on the host" lab_residue_after
