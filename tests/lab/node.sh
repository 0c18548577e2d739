# SPDX-License-Identifier: GPL-2.0-or-later
# Lab nodes: each a set of namespaces with a root file system of its own (an overlay over the host's),
# a /dev, real ext4 for guests, cgroups, and a link to a switch that leads nowhere else. Sourced by
# lib.sh, which sets $LAB. Everything ends with the test: every process here dies with the shell
# that started it, mounts and links with their namespaces.
#
#   lab_start NAME            a node with its disk; the same name again is the same machine rebooted
#   lab_in NAME COMMAND…      in the node, as its root; lab_spawn: in the background, stays
#   lab_net COMMAND…          on the switch's network, with the host's files: where clients live
#   lab_kill NAME             the power cut
#   lab_stop_all              all nodes, the switch, their cgroups
#   lab_residue_before/after  what the host had and has
lab_names=
declare -A lab_pid lab_number
lab_switch=
lab_next=10

# For background children: they must not outlive this shell, even when it is killed with SIGKILL.
lab_child() { exec setpriv --pdeathsig KILL "$@"; }

lab_switch_start() {
	[ -z "$lab_switch" ] || return 0
	lab_child unshare --net sleep infinity &
	lab_switch=$!
	disown $lab_switch
	until [ "$(readlink /proc/$lab_switch/ns/net)" != "$(readlink /proc/self/ns/net)" ] &&
		[ "$(cat /proc/$lab_switch/comm)" = sleep ]; do pause 0.02; done
	lab_net ip link set lo up
	lab_net ip link add switch type bridge
	lab_net ip address add 10.99.0.1/24 dev switch
	# what guests reach by NAT, and only so: there is no way back to their addresses
	lab_net ip address add 198.51.100.1/32 dev lo
	lab_net ip link set switch up
}
lab_net() { nsenter -t "$lab_switch" -n -- "$@"; }
lab_address() { echo "10.99.0.${lab_number[$1]}"; }

lab_groups() { # the folders of a node's cgroups on the host
	local c
	for c in /sys/fs/cgroup/*/; do
		[ -e "$c/cgroup.procs" ] && echo "${c}lodge-lab.$$.$1"
	done
	[ -e /sys/fs/cgroup/cgroup.procs ] && echo "/sys/fs/cgroup/lodge-lab.$$.$1"
}
lab_groups_make() {
	local g p
	for g in $(lab_groups "$1"); do
		mkdir -p "$g" || return
		p=${g%/*}
		if [ -e "$g/cpuset.cpus" ] && [ ! -s "$g/cpuset.cpus" -o -z "$(cat "$g/cpuset.cpus")" ] &&
			[ -e "$p/cpuset.mems" ]; then
			cat "$p/cpuset.cpus" >"$g/cpuset.cpus"
			cat "$p/cpuset.mems" >"$g/cpuset.mems"
		fi
		[ ! -e "$g/cgroup.clone_children" ] || echo 1 >"$g/cgroup.clone_children"
		[ ! -e "$g/memory.use_hierarchy" ] || echo 1 >"$g/memory.use_hierarchy" 2>/dev/null || :
	done
}
lab_groups_enter() { # lab_groups_enter NAME PID
	local g
	for g in $(lab_groups "$1"); do echo "$2" >"$g/cgroup.procs" || return; done
}
lab_groups_remove() {
	local g tries
	for g in $(lab_groups "$1"); do
		for ((tries = 0; tries < 50; tries++)); do
			[ -d "$g" ] || break
			find "$g" -depth -type d -exec rmdir {} + 2>/dev/null || pause 0.1
		done
	done
}

# After SIGKILL nothing of ours runs any more, but these stay: groups and folders of shells that are gone.
lab_sweep() {
	local g pid dir
	for g in /sys/fs/cgroup/lodge-lab.* /sys/fs/cgroup/*/lodge-lab.*; do
		[ -d "$g" ] || continue
		pid=${g##*/lodge-lab.} pid=${pid%%.*}
		[ -e "/proc/$pid" ] || find "$g" -depth -type d -exec rmdir {} + 2>/dev/null
	done
	for dir in /var/tmp/lodge-lab.*; do
		[ -s "$dir/pid" ] && [ ! -e "$dir/keep" ] && [ ! -e "/proc/$(cat "$dir/pid")" ] && rm -rf "$dir"
	done
	:
}

lab_start() { # lab_start NAME
	local name=$1 dir=$LAB/$1 pid
	lab_switch_start
	mkdir -p "$dir/root"
	if [ -z "${lab_number[$name]:-}" ]; then
		lab_next=$((lab_next + 1))
		lab_number[$name]=$lab_next
		lab_names="$lab_names $name"
		truncate -s 12G "$dir/disk" && mkfs.ext4 -q -F -m 0 "$dir/disk" || return
	fi
	lab_groups_make "$name" || return
	rm -f "$dir/up"
	(
		lab_groups_enter "$name" $BASHPID
		exec setpriv --pdeathsig KILL unshare --mount --net --uts --ipc --pid --cgroup --fork \
			--kill-child --propagation private "$here/${lab_init:-node-init.sh}" "$name" "$LAB"
	) >"$dir/console" 2>&1 </dev/null &
	pid=$!
	disown $pid
	lab_pid[$name]=
	wait_for 10 test -e "$dir/up" || { sed 's/^/# /' "$dir/console"; return 1; }
	lab_pid[$name]=$(cat /proc/$pid/task/$pid/children | tr -d ' ')
	{ # the same as lab_in for programs that are no shell
		echo '#!/bin/bash'
		declare -f lab_enter lab_groups_enter
		echo "lab_groups() { printf '%s\\n' $(lab_groups "$name" | tr '\n' ' '); }"
		echo "declare -A lab_pid=([$name]=${lab_pid[$name]})"
		echo "lab_enter $name \"\$@\""
	} >"$dir/in"
	chmod 755 "$dir/in"
	lab_link "$name"
}
lab_link() { # plugs the node in: eth0, 10.99.0.N, the switch as its router
	local name=$1 n=${lab_number[$1]}
	lab_net ip link delete "lab$n" 2>/dev/null
	lab_net ip link add "lab$n" type veth peer name eth0 netns "${lab_pid[$name]}" || return
	lab_net ip link set "lab$n" master switch up
	lab_in "$name" sh -c "ip address add 10.99.0.$n/24 dev eth0 && ip link set eth0 up &&
		ip route add default via 10.99.0.1"
}
lab_enter() { # replaces the calling process
	local name=$1
	shift
	lab_groups_enter "$name" $BASHPID
	exec nsenter -t "${lab_pid[$name]}" -m -u -i -n -p -C -- /usr/bin/env -i TERM=dumb HOME=/root LANG=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
lab_in() { (lab_enter "$@"); }
lab_spawn() { # output in the node's /var/log/spawn.log
	local name=$1
	shift
	lab_in "$name" setsid -f sh -c 'exec >>/var/log/spawn.log 2>&1 </dev/null; exec "$@"' sh "$@"
}
lab_kill() { # lab_kill NAME
	[ -n "${lab_pid[$1]:-}" ] || return 0
	local pid=${lab_pid[$1]}
	kill -9 "$pid" 2>/dev/null
	lab_pid[$1]=
	wait_for 10 not test -e "/proc/$pid"
	lab_net ip link delete "lab${lab_number[$1]}" 2>/dev/null
	lab_groups_remove "$1"
	wait_for 10 lab_disk_is_free "$1"
}
lab_disk_is_free() { ! losetup -nO BACK-FILE | grep -q "^$LAB/$1/disk"; }
lab_stop_all() {
	local name
	for name in $lab_names; do lab_kill "$name"; done
	[ -z "$lab_switch" ] || kill -9 "$lab_switch" 2>/dev/null
	lab_switch=
}
lab_logs() { # the ends of all logs, as TAP comments
	local name
	for name in $lab_names; do
		[ -n "${lab_pid[$name]:-}" ] || continue
		echo "# ---- logs of $name"
		lab_in "$name" sh -c 'tail -n 40 /var/log/spawn.log /var/log/lodge*.log /var/log/lodge/* 2>/dev/null' |
			sed 's/^/# /'
	done
}

# What the host has; loop devices only those on our files or on files that are gone.
lab_residue() {
	awk '$5 !~ /mmdebstrap/ {print "mount", $5, $9}' /proc/self/mountinfo
	losetup -nO BACK-FILE | grep -e "$LAB" -e '(deleted)' | sed 's/^/loop /'
	ip -o link | awk -F': ' '{print "link", $2}'
	ls /run/netns 2>/dev/null | sed 's/^/netns /'
	nft list tables 2>/dev/null | sed 's/^/nft /'
	find /sys/fs/cgroup -maxdepth 2 -name "lodge-lab.$$.*" | sed 's/^/cgroup /'
	# by their mount namespace: ours have a root below $LAB
	grep -ls "LODGE_LAB=$LAB" /proc/[0-9]*/environ 2>/dev/null | sed 's/^/process /'
}
lab_residue_before() { lab_residue | sort >"$LAB/residue"; }
lab_residue_same() { lab_residue | sort | diff "$LAB/residue" -; }
lab_residue_after() { wait_for 10 lab_residue_same; }
