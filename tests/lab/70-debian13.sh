#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 1500
# Debian 13: its compiler takes the tree without a warning, unit tests pass with its libraries, and what
# quickstart.sh makes there serves a container and a virtual machine. The first run makes the machine's tree, which needs the network.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
[ -n "${LODGE_TEST_FULL:-}" ] || { skip "Debian 13" "runs with --full"; exit 0; }
. "$here/systemd_tree.sh"
. "$here/systemd_node.sh"
. "$here/systemd_ask.sh"
. "$top/systemd/setup/packages.sh"
n=deb13

status_line() { # status_line PATH: of an answer without credentials
	lab_net curl -ksS -i --max-time 20 "https://$(lab_address $n):8006$1" | head -n 1 | tr -d '\r'
}
# The library's own functions are replaced for these: a new version could stop asking them.
phrases_are_ours() {
	is "HTTP/1.1 401 No ticket" "$(status_line /api2/json/nodes)" &&
		is "HTTP/1.1 501 Method 'GET /nowhere' not implemented" "$(https GET /nowhere -i | head -n 1 | tr -d '\r')"
}
# json-c 0.18 has its own ideas of what is a text.
texts_survive() {
	https PUT "/nodes/$n/lxc/101/config" -H 'Content-Type: application/json' -d '{"description":"ä € 😀"}' &&
		https GET "/nodes/$n/lxc/101/config" | field description | grep -qx 'ä € 😀'
}

busybox=$(template_busybox) || skip_all "no busybox template"
cp "$busybox" "$LAB/busybox.tar.gz"
iso=$("$top/storage/make-iso.sh" 2>"$LAB/iso.err") || skip_all "no ISO: $(tail -n 1 "$LAB/iso.err")"
# shellcheck disable=SC2086,SC2154
archive=$(tree_archive systemd trixie "systemd-sysv dbus udev kmod procps python3-minimal libcmocka-dev openssl
	$(tree_packages $packages_build $packages_run | tr '\n' ' ')" "$systemd_hook") ||
	skip_all "no Debian 13 tree: $archive"
lab_residue_before
must "a machine" systemd_make $n "$archive"
must "systemd is content" systemd_boot $n
must "the source tree is on it" put_source

must "the tree is configured" node cmake -S /root/lodge --preset release -B /root/strict -DLODGE_WERROR=ON \
	-DBUILD_TESTING=ON
must "it is built without a warning" node ninja -C /root/strict -j "$(nproc)"
ok "unit tests pass" node ctest --test-dir /root/strict -j "$(nproc)" --output-on-failure --no-tests=error

put_templates busybox.tar.gz
ok "an ISO as quickstart.sh makes it" put_iso
must "quickstart.sh installs" quickstart /root/lodge/quickstart.sh
ok "no package was missing" not grep -q 'installing .* packages' "$LAB/quickstart.log"
ok "systemd finds nothing wrong in the units" node systemd-analyze --man=no verify lodge.target
must "log in over HTTPS" log_in
ok "reason phrases are those of the answers" phrases_are_ours
must "a container is made" create 101 busybox.tar.gz 0
ok "texts keep their characters" texts_survive
must "it starts" start 101
ok "it has its address by DHCP" wait_for 20 has_address 101
ok "it is stopped" task POST "/nodes/$n/lxc/101/status/stop"
ok "it is destroyed" task DELETE "/nodes/$n/lxc/101"
ok "libvirtd listens, by its own socket" libvirtd_by_socket
ok "no network that nobody asked for" no_other_network
ok "a virtual machine is made" make_machine
ok "it starts" task POST "/nodes/$n/qemu/200/status/start"
ok "it boots, and has its address by DHCP" machine_boots
ok "it is stopped" task POST "/nodes/$n/qemu/200/status/stop"
ok "it is destroyed" task DELETE "/nodes/$n/qemu/200"
lab_kill $n
ok "the host is as before" lab_residue_after
