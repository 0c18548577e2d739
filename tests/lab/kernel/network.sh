# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Networks: VLANs on a bridge that knows them, bounds of traffic, and the node's own interfaces under systemd.
vlan_bridge() { # one whose VLANs 7 and 8 the node itself takes part in
	ip link add brv type bridge vlan_filtering 1 && ip link set brv up || return
	for vid in 7 8; do
		bridge vlan add dev brv vid $vid self && ip link add link brv name brv.$vid type vlan id $vid &&
			ip address add 10.$vid.0.1/24 dev brv.$vid && ip link set brv.$vid up || return
	done
}
vlans() { # vlans PORT: "7u 8", u for those that leave it untagged
	bridge -compressvlans vlan show dev "$1" |
		awk 'NR > 1 { sub(/^[a-z][^ \t]*/, ""); printf "%s%s%s", by, $1, /Untagged/ ? "u" : ""; by = " " }'
}
reaches() { ping -c 1 -W 2 "$1"; }
net() { echo "name=eth0,bridge=brv,hwaddr=BC:24:11:00:00:31,ip=10.$1.0.2/24,tag=$1${2:+,$2}"; } # net VLAN [MORE]

# How many milliseconds so many MiB take.
milliseconds_to() { # milliseconds_to MEBIBYTES: node to container
	/lab/probe send 10.7.0.2 "$1" >/dev/null &
	inside 301 probe receive "$1"
}
milliseconds_from() { # milliseconds_from MEBIBYTES: container to node
	inside 301 probe send 10.7.0.1 "$1" >/dev/null &
	/lab/probe receive "$1"
}
# What surrounds a transfer takes its time, too; a rate that is half of what it says is seen.
is_near() { between $(($1 * 7 / 10)) $(($1 * 14 / 10 + 600)) "$2"; }

ok "a bridge that knows VLANs" vlan_bridge
ok "a container on VLAN 7, with trunks, bounded" create 301 --net0 "$(net 7 rate=2)" \
	--net1 'name=eth1,bridge=brv,trunks=7;8'
ok "start" lodge start 301
put_probe 301
ok "tag: its port is in VLAN 7 alone, untagged" is 7u "$(vlans veth301i0)"
ok "tag: the node reaches it there" wait_for 5 reaches 10.7.0.2
ok "trunks: tagged ones pass" is "1u 7-8" "$(vlans veth301i1)"
ok "trunks: a VLAN inside" inside 301 sh -c 'ip link add link eth1 name eth1.8 type vlan id 8 2>/dev/null || vconfig add eth1 8
	ip link set eth1 up && ip address add 10.8.0.3/24 dev eth1.8 && ip link set eth1.8 up && ping -c 1 -W 2 10.8.0.1'
ok "rate: both ways are bounded" sh -c 'tc qdisc show dev veth301i0 | grep "tbf.*rate 16" && tc filter show dev veth301i0 ingress | grep -A 3 "police.*rate 16"'
ok "rate: 6 MiB to it, 2 MiB/s" is_near 3000 "$(milliseconds_to 6)"
ok "rate: 6 MiB from it" is_near 3000 "$(milliseconds_from 6)"
ok "rate: the kernel counts what it held back" sh -c 'tc -s qdisc show dev veth301i0 | grep -A 2 tbf | grep -E "overlimits [1-9]"'

ok "live: rate" change 301 --net0 "$(net 7 rate=6)"
ok "live: 12 MiB to it, 6 MiB/s" is_near 2000 "$(milliseconds_to 12)"
ok "live: 12 MiB from it" is_near 2000 "$(milliseconds_from 12)"
ok "live: no rate" change 301 --net0 "$(net 7)"
ok "live: nothing of it is left" lacks 'tbf|ingress' tc qdisc show dev veth301i0
ok "live: another VLAN" change 301 --net0 "$(net 8)"
ok "live: its port is in VLAN 8 alone" is 8u "$(vlans veth301i0)"
ok "live: the node reaches it there" wait_for 5 reaches 10.8.0.2
ok "live: trunks" change 301 --net1 'name=eth1,bridge=brv,trunks=8'
ok "live: are those" is "1u 8" "$(vlans veth301i1)"
ok "live: firewall=1 is taken" change 301 --net0 "$(net 8 firewall=1)"
ok "live: its status says that it is not enforced" sh -c "lodge get /nodes/$node/lxc/301/status/current --json | grep 'firewall=1 is kept and not enforced'"
ok "live: nothing waits" settled 301
ok "stop" lodge stop 301
ok "no interface of it is left" not test -e /sys/class/net/veth301i0

# the node's own
address_is() { ip -o -4 address show dev vmbr9 | grep -q " 10.9.0.$1/24 "; }
unconfirmed() { lodge network set vmbr9 --cidr 10.9.0.2/24 && lodge network apply --confirm-timeout 2; }
ok "node: a bridge" sh -c 'lodge network set vmbr9 --cidr 10.9.0.1/24 && lodge network apply --yes'
ok "node: it is there" address_is 1
ok "node: another address, not confirmed" fails_with "nobody confirmed it" unconfirmed
ok "node: the old one is back" wait_for 15 address_is 1
ok "node: confirmed" sh -c 'lodge network apply --yes'
ok "node: the new one is there" address_is 2
boots() { # as a boot does, whose core does not start
	ip link delete vmbr9 && rm -f /run/lodge/network/applied && systemctl restart lodge-network && address_is 2
}
ok "node: a boot sets it up" boots
ok "node: systemd is content" is running "$(systemctl is-system-running)"
ok "node: without it" sh -c 'lodge network remove vmbr9 && lodge network apply --yes && ! ip link show dev vmbr9'
ends network
