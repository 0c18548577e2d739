#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# SIGKILL of every process at random moments while clients work; only the supervisor brings them back.
# LODGE_TEST_SEED repeats a run's choices, LODGE_TEST_ROUNDS sets their number.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
rounds=${LODGE_TEST_ROUNDS:-20}
[ "${LODGE_TEST_FULL:-0}" = 0 ] || rounds=${LODGE_TEST_ROUNDS:-100}
seed=${LODGE_TEST_SEED:-$RANDOM}
echo "# seed $seed, $rounds rounds"

product_make
"$python" -c 'import proxmoxer' 2>/dev/null || skip_all "python3-proxmoxer is not installed"
busybox=$(template_busybox) || skip_all "no busybox template"
cp "$busybox" "$LAB/busybox.tar.gz"
vm=vm
for tool in libvirtd virtlogd virsh qemu-system-x86_64 "$LAB/product/usr/libexec/lodge/lodge-task-vm"; do
	command -v $tool >/dev/null || vm=
done
cp "$here/vm_libvirt.sh" "$LAB/"
lab_residue_before
ok "a node" lab_start n1
[ -z "$vm" ] || ok "its libvirtd" lab_in n1 bash /lab/vm_libvirt.sh
ok "the product answers on it" product_up n1
ok "an administrator made by the CLI" product_admin n1
ok "lodge upload" lab_in n1 lodge upload /lab/busybox.tar.gz local:vztmpl
ok "what the node has now is noted" node_residue_before n1
tap $((120 + rounds * 10)) client n1 kill_load.py "$rounds" "$seed" local:vztmpl/busybox.tar.gz $vm
ok "nothing is left on the node" node_residue_after n1
lab_stop_all
ok "nothing is left on the host" lab_residue_after
