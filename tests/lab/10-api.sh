#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One node with the release programs, brought up by the supervisor, driven by real clients over HTTPS.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
only=${1:-}
part() { [ -z "$only" ] || [ "$only" = "$1" ]; }

product_make
"$python" -c 'import proxmoxer' 2>/dev/null || skip_all "python3-proxmoxer is not installed"
lab_residue_before
ok "a node" lab_start n1
ok "the product answers on it" product_up n1
ok "an administrator made by the CLI" product_admin n1
busybox=$(template_busybox) || skip_all "no busybox template"
cp "$busybox" "$LAB/busybox.tar.gz"

part access && tap 120 client n1 proxmoxer_access.py
ok "lodge upload" lab_in n1 lodge upload /lab/busybox.tar.gz local:vztmpl
part storage && tap 60 client n1 proxmoxer_storage.py
ok "what the node has now is noted" node_residue_before n1
part errors && tap 120 client n1 wire_errors.py local:vztmpl/busybox.tar.gz
ok "nothing is left of refused calls" node_residue_after n1
part busybox && tap 120 client n1 proxmoxer_guest.py 100 local:vztmpl/busybox.tar.gz busybox
ok "nothing is left of it" node_residue_after n1

# a power cut and a boot: what is marked starts again, in the order of its ids
if part onboot; then
	tap 120 client n1 onboot.py before
	lab_kill n1
	ok "the node boots again" lab_start n1
	ok "the product answers again" product_up n1
	tap 120 client n1 onboot.py after
	ok "nothing is left of them" node_residue_after n1
fi

if part debian; then
	debian=$(ls /var/cache/lodge/debian-bookworm_*.tar.zst 2>/dev/null | head -1)
	[ -n "$debian" ] || debian=$(timeout 300 "$top/storage/make-template.sh" debian 2>/dev/null)
	if [ -n "$debian" ]; then
		ok "upload of Debian" lab_in n1 lodge upload "$debian" local:vztmpl --filename debian.tar.zst
		tap 300 client n1 proxmoxer_guest.py 110 local:vztmpl/debian.tar.zst debian
		ok "nothing is left of it" node_residue_after n1
	else
		skip "a container with systemd" "no Debian template and none can be made here"
	fi
fi

lab_stop_all
ok "nothing is left on the host" lab_residue_after
