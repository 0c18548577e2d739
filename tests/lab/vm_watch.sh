#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs inside a lab node: writes every state that is shown of a machine while a file is there.
# vm_watch.sh VMID FILE OUTPUT
while [ -e "$2" ]; do
	lodge get "/nodes/$(hostname)/qemu/$1/status/current" --json 2>/dev/null |
		sed -n 's/.*"status": *"\([a-z]*\)".*/\1/p' >>"$3"
done
:
