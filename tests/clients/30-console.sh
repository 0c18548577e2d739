#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Consoles through the gate: WebSocket over TLS, tickets, API tokens.
. "$(dirname "$(readlink -f "$0")")/../lab/lib.sh"

product_make
"$python" -c 'import proxmoxer' 2>/dev/null || skip_all "python3-proxmoxer is not installed"
busybox=$(template_busybox) || skip_all "no busybox template"
lab_residue_before
ok "a node" lab_start n1
ok "the product answers on it" product_up n1
ok "an administrator made by the CLI" product_admin n1
cp "$busybox" "$LAB/busybox.tar.gz"
ok "lodge upload" lab_in n1 lodge upload /lab/busybox.tar.gz local:vztmpl
tap 240 client n1 console.py 140 local:vztmpl/busybox.tar.gz
lab_stop_all
ok "nothing is left on the host" lab_residue_after
