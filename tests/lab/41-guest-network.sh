#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside of containers laid out as Debian, Ubuntu and Alpine: addresses by hand and by DHCP, gateway, host name, name
# servers, time zone, as each system's own tools set them up from what was written.
# limit: 420
. "$(dirname "$(readlink -f "$0")")/lib.sh"
product_make
lab_residue_before
ok "a node" lab_start n1
lab_in n1 nft list tables >/dev/null 2>&1 || skip_all "this kernel has no nftables"
in1() { lab_in n1 "$@"; }
inside() { local vmid=$1; shift; in1 lxc-attach -P /run/lodge/ct -n "$vmid" -- "$@"; }
has_address() { inside "$1" ip -4 -o address show dev "${3:-eth0}" | grep -q "inet $2"; }
pings() { inside "$1" ping -c1 -W2 "$2"; }
prints() { # prints PATTERN COMMAND…
	local pattern=$1 out
	shift
	out=$("$@" 2>&1)
	grep -qE -e "$pattern" <<<"$out" || { echo "no '$pattern' in: $out"; return 1; }
}
create() { # create VMID TEMPLATE NET0 [OPTIONS…]
	local vmid=$1 template=$2 net0=$3
	shift 3
	in1 lodge create "$vmid" --ostemplate "local:vztmpl/$template" --rootfs local:1 --memory 256 --swap 0 \
		--hostname "guest$vmid" --net0 "$net0" --start 1 "$@"
}

ok "the product answers on it" product_up n1
ok "vmbr0 has its address" wait_for 15 in1 sh -c 'ip -4 -o address show dev vmbr0 | grep "inet 10\."'
# a name that the node's name server knows, found by the search domain; in both families, or it asks others for one of
# them, who do not answer here. It reads the file when it is told to.
in1 sh -c 'printf "%s answer.lab.example\n" 198.51.100.77 fd00:99::77 >>/etc/hosts && pkill -HUP -x dnsmasq'
prefix=$(in1 ip -4 -o address show dev vmbr0 | grep -o '10\.[0-9]*\.[0-9]*\.' | head -1)
vmid=100
for kind in alpine debian ubuntu; do
	if ! template=$(timeout 200 "$here/guest_template.sh" $kind 2>"$LAB/template.err"); then
		skip "a container as $kind" "no template: $(tail -1 "$LAB/template.err")"
		continue
	fi
	name=$kind.${template#*.}
	cp "$template" "$LAB/$name"
	in1 lodge upload "/lab/$name" local:vztmpl >/dev/null
	dhcp=$vmid static=$((vmid + 1)) vmid=$((vmid + 2))
	ok "$kind, by DHCP" create $dhcp "$name" name=eth0,bridge=vmbr0,ip=dhcp
	ok "$kind: its kind is known" prints "\"ostype\": *\"$kind\"" in1 lodge get /nodes/n1/lxc/$dhcp/config
	ok "$kind: an address by DHCP" wait_for 40 has_address $dhcp "$prefix"
	ok "$kind: the gateway answers" wait_for 10 pings $dhcp "${prefix}1"
	ok "$kind: host name" prints "^guest$dhcp$" inside $dhcp hostname
	in1 lodge stop $dhcp >/dev/null

	ok "$kind, by hand" create $static "$name" "name=eth0,bridge=vmbr0,ip=${prefix}2$((vmid - 100))/24,gw=${prefix}1" \
		--net1 name=eth1,bridge=vmbr0,ip=10.200.0.$vmid/24,ip6=fd00:77::$vmid/64,firewall=1 --nameserver "${prefix}1" \
		--searchdomain lab.example --timezone Europe/Berlin
	[ $kind != alpine ] || # the others may have no zones inside
		ok "$kind: its time zone" prints zoneinfo/Europe/Berlin inside $static readlink /etc/localtime
	ok "$kind: the start says what has no effect" prints 'net1: firewall=1 is kept and not enforced' \
		in1 lodge task log "$(in1 lodge task list --json | grep -o 'UPID:[^"]*:vzcreate:[^"]*' | head -1)"
	ok "$kind: so does its status" prints 'net1: firewall=1 is kept' in1 lodge get /nodes/n1/lxc/$static/status/current
	ok "$kind: its address" wait_for 40 has_address $static "${prefix}2$((vmid - 100))/24"
	ok "$kind: the second interface's" wait_for 10 has_address $static 10.200.0.$vmid/24 eth1
	ok "$kind: and its IPv6" wait_for 10 prints "fd00:77::$vmid/64" inside $static ip -6 -o address show dev eth1
	ok "$kind: the gateway answers" wait_for 10 pings $static "${prefix}1"
	ok "$kind: the name server" prints "^nameserver ${prefix}1$" inside $static cat /etc/resolv.conf
	ok "$kind: it is asked" wait_for 10 prints "198.51.100.77|fd00:99::77" inside $static timeout 5 sh -c \
		"getent hosts answer 2>/dev/null || nslookup answer.lab.example"
	ok "$kind: the search domain" prints "^search lab.example$" inside $static cat /etc/resolv.conf
	ok "$kind: its own name" prints "guest$static.lab.example" inside $static cat /etc/hosts
	in1 lodge stop $static >/dev/null

	# another address, by the configuration; the gateway lies outside of its network
	in1 lodge config $static --net0 "name=eth0,bridge=vmbr0,ip=${prefix}3$((vmid - 100))/32,gw=${prefix}1" >/dev/null
	in1 lodge start $static >/dev/null
	ok "$kind: a new address" wait_for 40 has_address $static "${prefix}3$((vmid - 100))/32"
	ok "$kind: a gateway outside of the network answers" wait_for 15 pings $static "${prefix}1"
	ok "$kind: by a default route" prints "default via ${prefix}1" inside $static ip route
	in1 lodge stop $static >/dev/null
done
lab_stop_all
ok "nothing is left on the host" lab_residue_after
