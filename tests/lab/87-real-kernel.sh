#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 600
# Containers and networks on a kernel that has everything: Debian 12's own, emulated, with systemd, unified control
# groups, AppArmor, VLANs and device rules, seen from inside of the containers and in the kernel's own files. What runs
# in there is in kernel/. The first run makes the machine's disk, which needs the network.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$here/systemd_tree.sh"
. "$here/kernel_machine.sh"
parts="install limits,confine network volumes" seconds=450
[ -z "${LODGE_TEST_FULL:-}" ] || parts="$parts btrfs,debian" seconds=1500

build_probe() { gcc -static -Os -s -Wall -Wextra -Werror -o "$LAB/probe" "$here/kernel/probe.c"; }
payload() { # one tar: the product as it is installed, the parts of the test, templates
	local folder=$LAB/payload
	mkdir -p "$folder/templates" && mv "$LAB/product" "$folder/product" && cp "$here"/kernel/*.sh "$folder/" &&
		cp "$LAB/probe" "$folder/" && cp -r "$top/systemd/setup" "$folder/setup" &&
		cp "$busybox" "$folder/templates/busybox.tar.gz" &&
		echo "${LODGE_TEST_PARTS:-$parts}" >"$folder/parts" || return
	[ -z "${debian:-}" ] || cp "$debian" "$folder/templates/debian.tar.zst" || return
	tar -C "$folder" --numeric-owner --owner=0 --group=0 -cf "$LAB/payload.tar" . && rm -rf "$folder"
}
run_machine() {
	kernel_run "$image" "$LAB/payload.tar" $seconds | tee "$LAB/machine.tap"
	return "${PIPESTATUS[0]}"
}

busybox=$(template_busybox) || skip_all "no busybox template"
if [ -n "${LODGE_TEST_FULL:-}" ]; then
	debian=$("$top/storage/make-template.sh" debian) || skip_all "no Debian template"
fi
image=$(kernel_image) || skip_all "no emulated machine: $image"
product_make
ok "what asks the kernel is built" build_probe
ok "the product is packed" payload
start=$SECONDS
tap $((seconds + 20)) run_machine
ok "it ran to its end" grep -qx "ok - all parts ran" "$LAB/machine.tap"
echo "# $((SECONDS - start)) s with the machine"
[ $failed = 0 ] || tail -n 40 "$LAB/kernel.console" | tr -d '\r' | sed 's/^/# console: /'
