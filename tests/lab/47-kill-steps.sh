#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Jobs on volumes killed before each of their steps, and the core before each of its own while they run: a step is a
# system call that changes something (kill/steps.h), counted and hit by ptrace from outside, so that the product knows
# nothing of it. By default a few points of each operation, with --full every one.
# 47-kill-steps.sh [POINTS MORE_POINTS [OPERATION…]], 0: every point; MORE_POINTS: of undos and of the core, -1: one, by turns.
# limit: 600
. "$(dirname "$(readlink -f "$0")")/lib.sh"
points=${1:-5} more_points=${2:--1}
[ $# -gt 0 ] || [ "${LODGE_TEST_FULL:-0}" = 0 ] || points=0 more_points=0
limit=580
[ $# = 0 ] && [ "$points" != 0 ] || limit=5900
shift $(($# > 2 ? 2 : $#))
product_make
"$python" -c 'import proxmoxer' 2>/dev/null || skip_all "python3-proxmoxer is not installed"
[ -x "$build/tests/lab/lodge_kill_step" ] || skip_all "no lodge_kill_step in $build"
busybox=$(template_busybox) || skip_all "no busybox template"
cp "$busybox" "$LAB/busybox.tar.gz"
cp "$build/tests/lab/lodge_kill_step" "$LAB/kill-step"
mkdir -p "$LAB/kill"
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
hold() { # hold PROGRAM
	in1 sh -c 'cd /usr/libexec/lodge && mkdir -p held && mv "$1" held/ &&
		printf "#!/bin/sh\nexec /lab/kill-step job /lab/kill /usr/libexec/lodge/held/$1 \"\$@\"\n" >"$1" &&
		chmod 755 "$1"' sh "$1"
}
ok "the job program has the killer in its place" hold lodge-task-ct
if [ -x "$LAB/product/usr/libexec/lodge/lodge-task-vm" ]; then
	ok "that of virtual machines as well" hold lodge-task-vm
	export LODGE_HAS_MACHINES=1
fi
ok "what the node has now is noted" node_residue_before n1
tap $limit client n1 kill_steps.py local:vztmpl/busybox.tar.gz "$points" "$more_points" "$@"
ok "nothing is left of it" node_residue_after n1
ok "nor in the storages" is "" "$(in1 sh -c 'ls -A /srv/btr/images /srv/img/images 2>/dev/null | grep -v : | xargs echo')"
lab_stop_all
ok "nothing is left on the host" lab_residue_after
