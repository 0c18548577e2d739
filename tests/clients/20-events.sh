#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The event stream as clients read it: over HTTPS, and by the command line on the node.
. "$(dirname "$(readlink -f "$0")")/../lab/lib.sh"

product_make
"$python" -c 'import proxmoxer' 2>/dev/null || skip_all "python3-proxmoxer is not installed"
busybox=$(template_busybox) || skip_all "no busybox template"
cp "$busybox" "$LAB/busybox.tar.gz"
cp "$top/tests/clients/events_flood.py" "$LAB/"
lab_residue_before
ok "a node" lab_start n1
ok "the product answers on it" product_up n1
ok "an administrator made by the CLI" product_admin n1
ok "lodge upload" lab_in n1 lodge upload /lab/busybox.tar.gz local:vztmpl
ok "what the node has now is noted" node_residue_before n1
tap 400 client n1 events.py local:vztmpl/busybox.tar.gz
ok "nothing is left on the node" node_residue_after n1
lab_stop_all
ok "nothing is left on the host" lab_residue_after
