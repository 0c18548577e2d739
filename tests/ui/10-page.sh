#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The page in a real Chromium against a real node: containers, a virtual machine under emulation, consoles. Pictures of
# what was seen are kept in build/test-logs/ui.
. "$(dirname "$(readlink -f "$0")")/../lab/lib.sh"
ui=$top/tests/ui
shots=$top/build/test-logs/ui

for tool in node npm chromium libvirtd virtlogd qemu-system-x86_64; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
[ -d "$ui/node_modules/playwright-core" ] || (cd "$ui" && npm ci --no-audit --no-fund) >"$LAB/npm.log" 2>&1 ||
	skip_all "npm ci: $(tail -1 "$LAB/npm.log")"
product_make
[ -x "$LAB/product/usr/libexec/lodge/lodge-task-vm" ] || skip_all "built without libvirt"
iso=$("$top/storage/make-iso.sh" 2>"$LAB/iso.err") || skip_all "no ISO: $(tail -1 "$LAB/iso.err")"
busybox=$(template_busybox) || skip_all "no busybox template"
cp "$iso" "$LAB/lodge.iso"
cp "$busybox" "$LAB/busybox.tar.gz"
cp "$top/tests/lab/vm_libvirt.sh" "$LAB/"
rm -rf "$shots"
mkdir -p "$shots"

lab_residue_before
ok "a node" lab_start n1
# no addresses that become valid a while after their links: Chromium drops what it loads then
lab_net sh -c 'for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 >"$f"; done'
ok "its libvirtd" lab_in n1 bash /lab/vm_libvirt.sh
ok "the product answers on it" product_up n1
ok "an administrator made by the CLI" product_admin n1
ok "a template" lab_in n1 lodge upload /lab/busybox.tar.gz local:vztmpl
ok "an ISO image" lab_in n1 lodge upload /lab/lodge.iso local:iso
browse() { # browse SCRIPT
	lab_net env LODGE_HOST="$(lab_address n1)" LODGE_NODE=n1 LODGE_USER=admin@pve LODGE_PASSWORD="$admin_password" \
		LODGE_IN="$LAB/n1/in" LODGE_SHOTS="$shots" node "$ui/$1"
}
tap 540 browse page.mjs
lab_stop_all
ok "nothing is left on the host" lab_residue_after
