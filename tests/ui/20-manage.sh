#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The page in a real Chromium against a real node: a container made in steps and changed key by key, snapshots and
# clones, pools, the node's power, storages with uploads and downloads, the node's network. Pictures are kept in build/test-logs/ui-manage.
# limit: 900
. "$(dirname "$(readlink -f "$0")")/../lab/lib.sh"
ui=$top/tests/ui
shots=$top/build/test-logs/ui-manage

for tool in node npm chromium; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
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
# no addresses that become valid a while after their links: Chromium drops what it loads then
lab_net sh -c 'for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 >"$f"; done'
ok "the product answers on it" product_up n1
ok "an administrator made by the CLI" product_admin n1
lab_in n1 sh -c 'mkdir -p /srv/btr && truncate -s 2G /var/lib/lodge/btr.img && mkfs.btrfs -q /var/lib/lodge/btr.img &&
	mount -o loop /var/lib/lodge/btr.img /srv/btr' || skip_all "no btrfs here"

# a server of files on the switch, which guests and nodes reach
mkdir "$LAB/www"
head -c 3000000 /dev/urandom >"$LAB/www/small.iso"
cp "$busybox" "$LAB/www/other.tar.gz"
cp "$here/storage_server.py" "$LAB/"
# as one process, which ends with this shell at the latest
lab_child nsenter -t "$lab_switch" -n -- "$python" "$LAB/storage_server.py" "$LAB/www" 8080 >"$LAB/server.log" 2>&1 &
server=$!
wait_for 10 grep -q ready "$LAB/server.log"

tap 780 lab_net env LODGE_HOST="$(lab_address n1)" LODGE_NODE=n1 LODGE_USER=admin@pve LODGE_PASSWORD="$admin_password" \
	LODGE_IN="$LAB/n1/in" LODGE_SHOTS="$shots" LODGE_FILES="$LAB" LODGE_URL=http://198.51.100.1:8080 node "$ui/manage.mjs" "$@"
kill "$server"
lab_in n1 umount /srv/btr
lab_stop_all
ok "nothing is left on the host" lab_residue_after
