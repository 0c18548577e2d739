# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian with systemd in containers, unprivileged and privileged: its groups below ours, its own units' limits, changes
# while it runs.

has_no_reason() { # in a status that is there
	says '"status"' lodge get "/nodes/$node/lxc/$1/status/current" --json &&
		lacks '"reason": *"[^"]' lodge get "/nodes/$node/lxc/$1/status/current" --json
}
is_up() { is running "$(inside "$1" systemctl is-system-running)"; }
debian() { # debian ID [OPTIONS]
	local id=$1
	shift
	lodge create "$id" --ostemplate local:vztmpl/debian.tar.zst --rootfs local:1.5 --hostname "ct$id" --memory 400 \
		--swap 100 "$@"
}
unit_limit() { # of a unit of its own
	inside "$1" systemd-run --quiet --wait --pipe -p MemoryMax=16M \
		sh -c 'cat "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/memory.max"'
}
net() { echo "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:51,ip=10.51.0.$1/24"; }

ip address add 10.51.0.1/24 dev vmbr0
ok "unprivileged" debian 501 --unprivileged 1 --features nesting=1 --net0 "$(net 2)"
ok "privileged" debian 502 --unprivileged 0 --features nesting=1
for id in 501 502; do
	ok "$id starts" lodge start $id
	ok "$id: systemd is content" wait_for 120 is_up $id
	ok "$id: no unit failed" prints_nothing inside $id systemctl --failed --no-legend --plain
	ok "$id: a unit's limit" is "$(mebibytes 16)" "$(unit_limit $id)"
	ok "$id: its memory is that of all of it" between 8 400 "$(($(current $id mem) >> 20))"
done
init=$(init_of 501)
ok "its address" wait_for 20 ping -c 1 -W 1 10.51.0.2
ok "cores, memory" change 501 --cores 1 --memory 300
ok "nproc, in a group of a unit's own" is 1 "$(inside 501 nproc)"
ok "memory.max" is "$(mebibytes 300)" "$(group 501 memory.max)"
ok "all processors again" change 501 --delete cores
ok "nproc" is "$(nproc)" "$(inside 501 nproc)"
ok "another address" change 501 --net0 "$(net 3)"
ok "it is there" wait_for 20 ping -c 1 -W 1 10.51.0.3
ok "a volume" change 501 --mp0 local:0.0625,mp=/srv/data
ok "systemd sees it as a mount" wait_for 20 inside 501 systemctl is-active srv-data.mount
ok "its root grows" lodge resize 501 rootfs +256M
ok "nothing waits" settled 501
ok "suspend" lodge suspend 501
ok "resume" lodge resume 501
ok "systemd is content" is_up 501
ok "it is the same all the time" is "$init" "$(init_of 501)"
ok "reboot" lodge reboot 501
ok "systemd is content" wait_for 120 is_up 501
ok "shutdown" lodge shutdown 501
ok "no reason: it was asked to" has_no_reason 501
ok "poweroff from inside" inside 502 systemctl --no-block poweroff
ok "is noticed" wait_for 60 state_is 502 stopped
ok "and was its own will" has_no_reason 502
ok "destroy" lodge destroy 501
ok "and the other" lodge destroy 502
ends debian
