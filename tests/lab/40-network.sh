#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The guests' network: the NAT bridge and what keeps it whole, and the choice of a bridge of the host's own.
# limit: 180
. "$(dirname "$(readlink -f "$0")")/lib.sh"
product_make
busybox=$(template_busybox) || skip_all "no busybox template"
cp "$busybox" "$LAB/busybox.tar.gz"
lab_residue_before
ok "a node" lab_start n1
lab_in n1 nft list tables >/dev/null 2>&1 || skip_all "this kernel has no nftables"

in1() { lab_in n1 "$@"; }
container() { # container VMID NET0
	in1 lodge create "$1" --ostemplate local:vztmpl/busybox.tar.gz --rootfs local:0.1 --memory 64 --swap 0 \
		--net0 "$2" --start 1
}
inside() { local vmid=$1; shift; in1 lxc-attach -P /run/lodge/ct -n "$vmid" -- "$@"; }
address() { inside "$1" ip -4 -o address show dev eth0 | grep -o 'inet [0-9.]*' | cut -d' ' -f2; }
has_address() { [ -n "$(address "$1")" ]; }
table() { in1 nft list table inet lodge; }
table_same() { is "$ruleset" "$(table)"; }
dnsmasq_pid() { in1 pgrep -x dnsmasq; }
other_dnsmasq() { local p; p=$(dnsmasq_pid) && [ "$p" != "$old" ]; }
log_has() { in1 grep -q "$1" /var/log/lodge/lodged.log; }

# other tools' bridges are none of the host's own
in1 ip link add lxcbr0 type bridge
in1 ip link add docker0 type bridge
in1 ip link add empty0 type bridge
ok "the product answers on it" product_up n1
in1 lodge upload /lab/busybox.tar.gz local:vztmpl >/dev/null
ok "vmbr0 was made" wait_for 10 in1 ip link show dev vmbr0
ok "the choice is stored" in1 grep -qx mode=nat /var/lib/lodge/network.conf
ok "it has an address" wait_for 5 in1 sh -c 'ip -4 -o address show dev vmbr0 | grep "inet 10\."'
ok "the table is there" wait_for 10 table
ok "dnsmasq runs" wait_for 10 dnsmasq_pid
ok "it listens on the bridge alone" not in1 sh -c "ss -lunH | grep ':53 ' | grep -v -e vmbr0 -e '10\\.[0-9.]*:53'"

ok "a container" container 100 name=eth0,bridge=vmbr0,ip=dhcp
ok "a lease" wait_for 20 has_address 100
ok "the gateway answers" inside 100 ping -c1 -W2 "$(in1 ip -4 -o address show dev vmbr0 | grep -o '10\.[0-9]*\.[0-9]*\.1' | head -1)"
ok "the name server answers" inside 100 nslookup n1 "$(in1 ip -4 -o address show dev vmbr0 | grep -o '10\.[0-9]*\.[0-9]*\.1' | head -1)"
# the outside has no route back: only masqueraded packets are answered
ok "masquerade" inside 100 ping -c1 -W2 198.51.100.1
in1 nft delete table inet lodge
ok "and not without the table, until it is back" wait_for 10 inside 100 ping -c1 -W1 198.51.100.1

ruleset=$(table)
in1 nft flush ruleset
start=$EPOCHREALTIME
ok "a flushed ruleset is restored" wait_for 5 table_same
echo "# after $(awk "BEGIN {print $EPOCHREALTIME - $start}") s"
in1 nft flush chain inet lodge postrouting
ok "a flushed chain as well" wait_for 5 table_same
ok "guests are served again" inside 100 ping -c1 -W2 198.51.100.1

old=$(dnsmasq_pid)
in1 kill -9 "$old"
ok "a killed dnsmasq is back" wait_for 10 other_dnsmasq
renews() { inside 100 udhcpc -n -q -f -i eth0 && is "$lease" "$(address 100)"; }
lease=$(address 100)
ok "it gives the same lease again" wait_for 10 renews

# a firewall of somebody else
in1 nft 'table inet other { chain forward { type filter hook forward priority 0; policy drop; }; }'
ok "another's policy to drop does drop" not inside 100 ping -c1 -W1 198.51.100.1
in1 nft flush chain inet lodge input # makes the node look
names_chain() { in1 grep -h 'inet other forward' /var/log/lodge/lodged.log || in1 /usr/libexec/lodge/lodge-task helper net-apply </dev/null | grep 'inet other forward'; }
ok "the chain that drops is named" wait_for 10 names_chain
echo "# $(names_chain 2>/dev/null | tail -1 | cut -c1-300)"
in1 nft delete table inet other
ok "without it packets pass again" inside 100 ping -c1 -W2 198.51.100.1

# a boot: bridge, table and dnsmasq are back
lab_kill n1
lab_start n1
product_up n1
ok "after a boot the table is back" wait_for 10 table
ok "and dnsmasq" wait_for 10 dnsmasq_pid
in1 lodge start 100 >/dev/null
ok "and leases" wait_for 20 has_address 100
in1 lodge stop 100 >/dev/null
remove() { in1 /usr/libexec/lodge/lodge-task helper net-remove </dev/null; }
in1 /usr/libexec/lodge/lodge-supervise stop >/dev/null 2>&1
ok "it can be removed" remove
ok "the bridge is gone" not in1 ip link show dev vmbr0
ok "the table is gone" not table
ok "dnsmasq is gone" wait_for 5 not dnsmasq_pid
lab_kill n1

# a host with a bridge that carries its default route
lab_start n2
lab_in n2 sh -c 'ip link add br0 type bridge && ip address flush dev eth0 && ip link set eth0 master br0 &&
	ip address add '"$(lab_address n2)"'/24 dev br0 && ip link set br0 up && ip route add default via 10.99.0.1'
ok "a node with a bridge of its own" product_up n2
ok "the bridge with the default route is chosen" wait_for 10 lab_in n2 grep -qx bridge=br0 /var/lib/lodge/network.conf
ok "in host mode" lab_in n2 grep -qx mode=host /var/lib/lodge/network.conf
ok "no vmbr0, no table, no dnsmasq" lab_in n2 sh -c '! ip link show dev vmbr0 && ! nft list table inet lodge && ! pgrep -x dnsmasq'
lab_in n2 lodge upload /lab/busybox.tar.gz local:vztmpl >/dev/null
ok "a container on it" lab_in n2 lodge create 100 --ostemplate local:vztmpl/busybox.tar.gz --rootfs local:0.1 --memory 64 \
	--net0 name=eth0,bridge=br0,ip=10.99.0.200/24,gw=10.99.0.1 --start 1
ok "it is on the host's network" wait_for 10 lab_net ping -c1 -W1 10.99.0.200

# the choice of the administrator
lab_start n3
lab_in n3 sh -c 'mkdir -p /run/lodge && ip link add lan0 type veth peer name lan1 && ip address add 10.77.0.9/10 dev lan0 &&
	ip link set lan0 up'
ok "LODGE_BRIDGE" lab_in n3 env LODGE_BRIDGE=mybr0 /lab/product/usr/libexec/lodge/lodge-task helper net-apply </dev/null
ok "makes that bridge" lab_in n3 ip link show dev mybr0
ok "with a network that is none of the host's" lab_in n3 sh -c 'ip -4 -o address show dev mybr0 | grep " 10\.128\.0\.1/24 "'
lab_stop_all
ok "nothing is left on the host" lab_residue_after
