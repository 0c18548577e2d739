#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The page in Debian's Firefox against a real node: log-in, tree, a container made and used. Pictures are kept in
# build/test-logs/ui-firefox. LODGE_FIREFOX is the program, firefox-esr by default.
. "$(dirname "$(readlink -f "$0")")/../lab/lib.sh"
ui=$top/tests/ui
shots=$top/build/test-logs/ui-firefox

for tool in node npm "${LODGE_FIREFOX:-firefox-esr}"; do
	command -v "$tool" >/dev/null || skip_all "$tool is not installed"
done
[ -d "$ui/node_modules/playwright-core" ] || (cd "$ui" && npm ci --no-audit --no-fund) >"$LAB/npm.log" 2>&1 ||
	skip_all "npm ci: $(tail -1 "$LAB/npm.log")"
product_make
busybox=$(template_busybox) || skip_all "no busybox template"
cp "$busybox" "$LAB/busybox.tar.gz"
rm -rf "$shots"
mkdir -p "$shots"

lab_residue_before
ok "a node" lab_start n1
ok "the product answers on it" product_up n1
ok "an administrator made by the CLI" product_admin n1
ok "a template" lab_in n1 lodge upload /lab/busybox.tar.gz local:vztmpl
tap 240 lab_net env LODGE_HOST="$(lab_address n1)" LODGE_NODE=n1 LODGE_USER=admin@pve LODGE_PASSWORD="$admin_password" \
	LODGE_BROWSER=firefox LODGE_IN="$LAB/n1/in" LODGE_SHOTS="$shots" node "$ui/firefox.mjs"
lab_stop_all
ok "nothing is left on the host" lab_residue_after
