#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 600
# Containers and networks on a kernel that has everything: Debian 12's own, emulated, with systemd, unified control
# groups, AppArmor, VLANs and device rules, seen from inside of the containers and in the kernel's own files. What runs
# in there is in kernel/; networks, btrfs and Debian with --full. The first run makes the machine's disk, which needs
# the network.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$here/systemd_tree.sh"
. "$here/kernel_machine.sh"
parts="install limits,confine,volumes" seconds=450
[ -z "${LODGE_TEST_FULL:-}" ] || parts="$parts network btrfs,debian" seconds=1500

build_probe() { gcc -static -Os -s -Wall -Wextra -Werror -o "$LAB/probe" "$here/kernel/probe.c"; }
payload() { # one tar: the product as it is installed, the parts of the test, templates
	local folder=$LAB/payload
	mkdir -p "$folder/templates" && mv "$LAB/product" "$folder/product" && cp "$here"/kernel/*.sh "$folder/" &&
		cp "$LAB/probe" "$folder/" && cp -r "$top/systemd/setup" "$folder/setup" &&
		cp "$busybox" "$folder/templates/busybox.tar.gz" &&
		echo "$parts" >"$folder/parts" || return
	[ -z "${debian:-}" ] || cp "$debian" "$folder/templates/debian.tar.zst" || return
	tar -C "$folder" --numeric-owner --owner=0 --group=0 -cf "$LAB/payload.tar" . && rm -rf "$folder"
}
run_machine() {
	kernel_run "$image" "$LAB/payload.tar" $seconds | tee "$LAB/machine.tap"
	return "${PIPESTATUS[0]}"
}

parts_ran() { # each came to its end, and saw something
	local part
	for part in ${parts//,/ }; do
		awk -v part="$part" '
			/^# the part / { is_here = $0 == "# the part " part }
			is_here && /^ok - / { seen++ }
			is_here && $0 == "# the end of " part { has_ended = 1 }
			END { exit !(seen && has_ended) }' "$LAB/machine.tap" || { echo "$part did not come to its end"; return 1; }
	done
}
template_status() { # 1: for want of a tool or of the network
	if tree_has_no_network "$LAB/template.err" || ! command -v mmdebstrap >/dev/null; then echo 1; else echo 2; fi
}
# What cannot be made for want of a tool or of the network is skipped, what fails is not.
refuse() { # refuse STATUS WHAT DETAIL
	[ "$1" != 1 ] || skip_all "no $2: $3"
	fail "$2: $3"
	exit 1
}

parts=${LODGE_TEST_PARTS:-$parts}
command -v busybox >/dev/null || skip_all "busybox is missing"
busybox=$(template_busybox 2>"$LAB/template.err") || refuse 2 "busybox template" "$(tail -n 1 "$LAB/template.err")"
if [ -n "${LODGE_TEST_FULL:-}" ]; then
	debian=$("$top/storage/make-template.sh" debian 2>"$LAB/template.err") || refuse "$(template_status)" "Debian template" \
		"$(tail -n 1 "$LAB/template.err")"
fi
image=$(kernel_image) || refuse $? "emulated machine" "$image"
product_make
ok "what asks the kernel is built" build_probe
ok "the product is packed" payload
start=$SECONDS
tap $((seconds + 20)) run_machine
ok "all parts ran" parts_ran
echo "# $((SECONDS - start)) s with the machine"
[ $failed = 0 ] || tail -n 40 "$LAB/kernel.console" | tr -d '\r' | sed 's/^/# console: /'
