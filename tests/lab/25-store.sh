#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lodge store on a real node: looked at, dumped, made anew, and the node runs on with the same guests and users.
# limit: 300
. "$(dirname "$(readlink -f "$0")")/lib.sh"

product_make
busybox=$(template_busybox) || skip_all "no busybox template"
cp "$busybox" "$LAB/busybox.tar.gz"
db=/var/lib/lodge/db
in_node() { lab_in n1 sh -c "$1"; }
says() { # says PATTERN STATUS COMMAND…: in the node
	local pattern=$1 status=$2 out code
	shift 2
	out=$(lab_in n1 "$@" 2>&1 </dev/null)
	code=$?
	[ $code = "$status" ] && grep -q -- "$pattern" <<<"$out" || { echo "status $code: $out"; return 1; }
}
stop() { lab_in n1 /usr/libexec/lodge/lodge-supervise stop && not lab_in n1 pgrep -x lodged; }
start() { product_start n1 && wait_for 20 api_answers n1; }
bytes() { in_node "cd $db && ls -A && sha256sum lodge.db*"; } # names, and what is in them
guests() { lab_in n1 lodge get /cluster/resources --type vm | grep -E '"(vmid|name|status)"'; }
users() { lab_in n1 lodge get /access/users; lab_in n1 lodge get /access/acl; }
config() { lab_in n1 lodge get /nodes/n1/lxc/100/config; }
logs_in() { # with the password of the administrator
	lab_net curl -ksSf -o /dev/null "https://$(lab_address n1):8006/api2/json/access/ticket" \
		--data-urlencode username=admin@pve --data-urlencode "password=$admin_password"
}

lab_residue_before
ok "a node" lab_start n1
ok "the product answers on it" product_up n1
ok "an administrator made by the CLI" product_admin n1
ok "lodge upload" lab_in n1 lodge upload /lab/busybox.tar.gz local:vztmpl
ok "a container" lab_in n1 lodge create 100 --ostemplate local:vztmpl/busybox.tar.gz --hostname first \
	--memory 64 --rootfs local:1 --start 1
ok "its notes are no plain text" lab_in n1 lodge config 100 --description 'ä "b" \ c'
guests >"$LAB/guests"
users >"$LAB/users"
config >"$LAB/config"

ok "a store in use is not looked at" says "stop lodged first" 1 lodge store check
ok "nor dumped" says "stop lodged first" 1 lodge store dump
ok "nor replaced" says "stop lodged first" 1 lodge store restore /lab/busybox.tar.gz --force
ok "the node stops" stop

bytes >"$LAB/before"
ok "lodge store check" says "^voters *node 1" 0 lodge store check
ok "as JSON" says '"problems":\[\]' 0 lodge store check --json
ok "lodge store dump" says "values, .* secrets" 0 lodge store dump --file /root/store.dump
is_same() { bytes | diff "$LAB/before" -; }
ok "no byte was changed" is_same
ok "the dump is for root alone" says "^600$" 0 stat -c %a /root/store.dump
ok "lodge help store" says "check|dump|restore" 0 lodge help store

ok "a store is not replaced by the way" says "with --force" 1 lodge store restore /root/store.dump
in_node 'head -c 900 /root/store.dump >/root/cut.dump; sed "s/first/worst/" /root/store.dump >/root/changed.dump'
ok "a dump that is cut short is refused" says "cut short\|missing" 1 lodge store restore /root/cut.dump --force
ok "a dump that was changed is refused" says "was changed since" 1 lodge store restore /root/changed.dump --force
ok "what is no dump is refused" says "line 1: it is no part of a dump" 1 lodge store restore /lab/busybox.tar.gz --force
ok "the folder of something else is not replaced" \
	says "/var/lib/lodge is no folder of a store" 1 lodge store restore /root/store.dump --db /var/lib/lodge --force
ok "no byte was changed by them" is_same
nothing_beside() { says "^db$" 0 sh -c 'ls -d /var/lib/lodge/db* | xargs -n1 basename' && is 1 "$(in_node 'ls -d /var/lib/lodge/db* | wc -l')"; }
ok "nothing is left of them" nothing_beside

ok "a new store of the dump" says "holds a new store" 0 lodge store restore /root/store.dump --force
ok "the old one is kept" says "^voters" 0 sh -c 'lodge store check --db /var/lib/lodge/db.old-*'
cluster() { lab_in n1 sh -c "lodge store check --db $1" | awk '$1 == "cluster" { print $2 }'; }
differs() { [ -n "$1" ] && [ -n "$2" ] && [ "$1" != "$2" ]; }
ok "it is another cluster" differs "$(cluster $db)" "$(cluster '/var/lib/lodge/db.old-*')"
ok "the node starts on it" start
same() { "$1" | diff "$LAB/$1" -; }
ok "with the same guests" wait_for 20 same guests
ok "with the same configuration" same config
ok "with the same users" same users
wait_for 20 https_answers "$(lab_address n1)"
ok "whose passwords hold" logs_in
ok "a guest is changed" lab_in n1 lodge config 100 --memory 128
ok "the guest stops" lab_in n1 lodge stop 100

ok "the node stops again" stop
ok "its store is whole" says "^cluster" 0 lodge store check
damage() { # damage SQL
	lab_in n1 "$python" -c "import sqlite3, sys
c = sqlite3.connect('$db/lodge.db'); c.execute('PRAGMA locking_mode=EXCLUSIVE'); c.execute(sys.argv[1]); c.commit()" "$1"
}
ok "a value is damaged" damage "UPDATE kv SET path = 'x' || path WHERE path LIKE '/user%'"
ok "lodge store check says so" says "WRONG .*impossible path" 1 lodge store check
ok "as JSON, too" says '"problems":\["the store is damaged' 1 lodge store check --json
ok "no dump is made of it" says "the store is damaged" 1 lodge store dump --file /root/damaged.dump
ok "a file that is none" in_node "head -c 5000 /dev/urandom >$db/lodge.db"
ok "lodge store check says that" says "damaged" 1 lodge store check
ok "it can be replaced" says "holds a new store" 0 lodge store restore /root/store.dump --force
ok "the node starts once more" start
ok "with the same users again" same users
lab_stop_all
ok "nothing is left on the host" lab_residue_after
