#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lets the running libvirtd check the domains of the golden files: vm_golden.sh FOLDER. Where it has no KVM,
# machines that use it are checked as emulated ones.
kvm=0
for xml in "$1"/*.xml; do
	name=$(basename "$xml" .xml)
	if [ ! -e /dev/kvm ]; then
		sed -e 's/type="kvm"/type="qemu"/' -e 's/mode="host-passthrough"/mode="maximum"/' \
			-e '/<hyperv /,/<\/hyperv>/d' "$xml" >/tmp/golden.xml
		xml=/tmp/golden.xml
	fi
	if virsh -q define --validate "$xml" >/tmp/golden.out 2>&1; then
		echo "ok - libvirtd accepts $name"
		virsh -q undefine lodge-101 >/dev/null
	else
		echo "not ok - libvirtd accepts $name"
		sed 's/^/# /' /tmp/golden.out
	fi
done
