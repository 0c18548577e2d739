#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Changes that a running container with systemd follows: its init has groups of its own below ours, its network is
# set by files and by what reads them.
needs_debian=1
. "$(dirname "$(readlink -f "$0")")/ct_lib.sh"
stub_core
debian_template || { echo "1..0 # SKIP no Debian template: $debian_reason"; exit 0; }
ip link add br0 type bridge
ip link set br0 up
ip address add 10.9.9.1/24 dev br0
printf 'arch: amd64\nhostname: dl\nlock: create\nmemory: 512\nswap: 0\nunprivileged: 1\nfeatures: nesting=1\n' | put_conf 103
ok "create" job vzcreate 103 ostemplate=local:vztmpl/debian.tar.zst rootfs=local:1
ok "start" job vzstart 103
is_up() { [ "$(inside 103 systemctl is-system-running)" = running ]; }
ok "systemd is up" wait_for 40 is_up
init=$(pid_of 103)
change() { job vzconfig 103 "$@"; }
settled() { ! grep -q PENDING "$(conf 103)" || { cat "$(conf 103)"; return 1; }; }

ok "cores, memory" change set.cores=1 set.memory=300
ok "nothing waits" settled
ok "nproc, in a group of a service's own" is 1 "$(inside 103 nproc)"
ok "more again" change delete=cores
ok "nproc" is "$(nproc)" "$(inside 103 nproc)"
ok "memory" is $((300 << 20)) "$(g=$(sed -n "s/^[0-9]*:memory:\(.*lxc.payload.103[^/]*\).*/\1/p" /proc/$init/cgroup)
	cat /sys/fs/cgroup/memory$g/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/lxc.payload.103*/memory.max)"

net='name=eth0,bridge=br0,hwaddr=BC:24:11:00:00:09,ip=10.9.9.9/24,gw=10.9.9.1,type=veth'
ok "an interface" change "set.net0=$net"
ok "its address" bash -c 'ping -c1 -W3 10.9.9.9'
ok "its settings are in the files inside" inside 103 sh -c 'grep -rq 10.9.9.9 /etc/network /etc/systemd/network 2>/dev/null'
ok "they are root's inside" is 0 "$(inside 103 sh -c 'stat -c %u $(grep -rl 10.9.9.9 /etc/network /etc/systemd/network 2>/dev/null | head -1)')"
ok "another address" change "set.net0=${net/9.9\/24/9.19\/24}"
ok "is there" ping -c1 -W3 10.9.9.19
ok "remove" change delete=net0
ok "nothing waits" settled
ok "a volume" change set.mp0=local:0.0625,mp=/srv/data
ok "systemd sees it as a mount" wait_for 5 inside 103 systemctl is-active srv-data.mount
ok "a user's files on it" inside 103 sh -c 'useradd -m joe 2>/dev/null; install -d -o joe /srv/data/joe && su joe -c "echo hi >/srv/data/joe/f" && [ "$(stat -c %U /srv/data/joe/f)" = joe ]'
ok "and away" change delete=mp0
ok "a name" change set.hostname=renamed
ok "the kernel and systemd know it" inside 103 sh -c '[ "$(uname -n)" = renamed ] && [ "$(hostnamectl --static)" = renamed ]'
ok "it is found" inside 103 sh -c 'getent hosts renamed | grep -q 127.0.1.1'
ok "a time zone" change set.timezone=Asia/Tokyo
ok "is that of its programs" is JST "$(inside 103 date +%Z)"
ok "a name server" change set.nameserver=192.0.2.53
ok "is in its files" inside 103 sh -c 'grep -rqs 192.0.2.53 /etc/resolv.conf /etc/systemd/network'
ok "nothing waits" settled
if [ -c /dev/fuse ]; then
	ok "a device" change set.dev0=/dev/fuse
	ok "opens in a service as well" inside 103 systemd-run -q --wait sh -c 'exec 3<>/dev/fuse'
	ok "and away" change delete=dev0
	ok "a service has none" inside 103 systemd-run -q --wait sh -c '! test -e /dev/fuse'
fi
ok "suspend" job vzsuspend 103
ok "resume" job vzresume 103
ok "it is up all the time" is_up
ok "the same init" is "$init" "$(pid_of 103)"
ok "reboot" job vzreboot 103 timeout=40
ok "systemd is up" wait_for 40 is_up
ok "shutdown" job vzshutdown 103 timeout=40
ok "nothing left" clean_behind 103
ok "destroy" job vzdestroy 103
