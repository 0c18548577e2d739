#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures Lodge beside other tools in one run: run.sh [--full] [FIGURE]… (all: README.md lists them).
# Everything runs in namespaces of its own (mount, network, pid, cgroup) and in one temporary folder;
# the host is left as it was. LODGE_LIBEXEC_DIR names programs to measure instead of a release build.
set -u
here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/../..")
all=(memory version resources create start vm idle echo console upload latency store simulator)
programs=(agent/lodged agent/gate/lodge-gate agent/monitor/lodge-monitor agent/monitor/lodge-monitor-libvirt.so
	agent/task/host/lodge-task
	agent/task/console/lodge-task-console agent/task/fetch/lodge-task-fetch agent/task/import/lodge-task-import agent/guest/ct/lodge-task-ct agent/guest/vm/lodge-task-vm)

die() {
	echo "bench: $*" >&2
	exit 1
}

check() {
	[ "$(id -u)" = 0 ] || die "needs root"
	for figure; do
		[ -f "$here/figure_$figure.py" ] || die "no figure '$figure': ${all[*]}"
	done
	for tool in python3 nginx wrk lxc-start mkfs.ext4 busybox ip nft dnsmasq; do
		command -v "$tool" >/dev/null || die "$tool is missing (README.md names the packages)"
	done
}

build() { # into $work/libexec
	mkdir "$work/libexec"
	local out=${LODGE_BENCH_BUILD:-$top/build/release} figure ours=
	for figure; do
		case $figure in
		store) make_target "$out" release bench_store tests/bench/bench_store ;;
		simulator) make_target "$top/build/sim" sim sim_store tests/sim/sim_store ;;
		*) ours=yes ;;
		esac
	done
	[ -n "$ours" ] || return 0
	if [ -n "${LODGE_LIBEXEC_DIR:-}" ]; then
		cp "$LODGE_LIBEXEC_DIR"/lodge* "$work/libexec/" || die "no programs in $LODGE_LIBEXEC_DIR"
		return
	fi
	make_target "$out" release all "${programs[@]}"
}

make_target() { # make_target FOLDER PRESET TARGET PROGRAM…
	local out=$1 preset=$2 target=$3 program
	shift 3
	{ cmake -S "$top" --preset "$preset" -B "$out" && cmake --build "$out" -j 2 --target "$target"; } \
		>"$work/build.log" 2>&1 || { tail -20 "$work/build.log"; die "the $preset build failed"; }
	for program; do
		cp "$out/$program" "$work/libexec/" || die "$program was not built"
	done
}

media() { # media FIGURE…: what has to be fetched, while there is a network
	case " $* " in *" vm "* | *" memory "* | *" console "* | *" latency "*)
		"$top/storage/make-iso.sh" >"$work/iso.log" 2>&1 || die "no ISO: $(tail -1 "$work/iso.log")" ;;
	esac
	case " $* " in *" create "* | *" start "*)
		"$top/storage/make-template.sh" debian >"$work/debian.log" 2>&1 ||
			die "no Debian template: $(tail -1 "$work/debian.log")" ;;
	esac
}

version() { # version PACKAGE…
	dpkg-query -W -f '${Package} ${Version}\n' "$@" 2>/dev/null | paste -sd, | sed 's/,/, /g'
}

conditions() {
	echo "date       $(date -u '+%F %T') UTC, commit $(git -C "$top" rev-parse --short HEAD 2>/dev/null)$(
		[ -z "$(git -C "$top" status --porcelain 2>/dev/null)" ] || echo ' with local changes')"
	echo "machine    $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(
		awk '/MemTotal/ {printf "%.1f GiB", $2 / 1048576}' /proc/meminfo), Linux $(uname -r)"
	echo "libraries  $(version libmicrohttpd12 libmicrohttpd12t64 libgnutls30 libgnutls30t64 libjson-c5 \
		libsqlite3-0 libsystemd0 liblxc1 liblxc1t64)"
	echo "peers      $(version nginx-light nginx wrk lxc lxcfs)"
	echo "load       $(cut -d' ' -f1-3 /proc/loadavg) before; file system of the state $(
		stat -f -c %T "$work"), cgroup $(stat -f -c %T /sys/fs/cgroup | sed 's/tmpfs/v1/; s/cgroup2fs/v2/')"
}

# ---- inside ----

enter() {
	mount --make-rprivate /
	ip link set lo up
	# no system manager, no bus: jobs are plain processes here, and pid files are ours
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -p /run/lock /run/lxc
	# /sys must show this network, /sys/fs/cgroup this cgroup namespace
	mkdir -p "$work/sys" && mount -t sysfs sysfs "$work/sys" && mount_cgroups "$work/sys/fs/cgroup" &&
		mount --rbind "$work/sys" /sys && umount -l "$work/sys" || die "cannot mount /sys"
	# a /dev without kvm: libvirt probes its emulators anew at each definition where it is and does not work
	mkdir -p "$work/dev" && mount --rbind /dev "$work/dev" &&
		mount -t tmpfs -o mode=755 tmpfs /dev && devices "$work/dev" && umount -l "$work/dev" ||
		die "cannot make a /dev"
	for f in passwd group subuid subgid; do
		cat "/etc/$f" >"$work/$f" 2>/dev/null
		[ -e "/etc/$f" ] || die "/etc/$f is missing (package uidmap)"
		mount --bind "$work/$f" "/etc/$f"
	done
	getent passwd lodge >/dev/null || {
		echo 'lodge:x:64806:64806::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
		echo 'lodge:x:64806:' >>/etc/group
	}
	for f in /etc/subuid /etc/subgid; do
		grep -q '^root:' "$f" || echo root:100000:65536 >>"$f"
	done
}

devices() { # devices OLD: everything but kvm
	local path name
	for path in "$1"/*; do
		name=${path##*/}
		[ "$name" != kvm ] || continue
		if [ -L "$path" ]; then
			cp -P "$path" /dev/
		elif [ -d "$path" ]; then
			mkdir "/dev/$name" && mount --rbind "$path" "/dev/$name"
		else
			cp -a "$path" /dev/
		fi || return
	done
}

mount_cgroups() { # mount_cgroups TARGET
	local line
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		mount -t cgroup2 cgroup2 "$1" || return
		# processes and enabled controllers do not go together in one group
		mkdir "$1/daemons" && echo $$ >"$1/daemons/cgroup.procs" || return
		for c in $(cat "$1/cgroup.controllers"); do
			echo "+$c" >"$1/cgroup.subtree_control"
		done 2>/dev/null
		return 0
	fi
	mount -t tmpfs -o mode=755 tmpfs "$1" || return
	while IFS=: read -r _ line _; do
		local name=${line#name=}
		if [ -z "$line" ]; then
			mkdir "$1/unified" && mount -t cgroup2 cgroup2 "$1/unified" || return
		elif mkdir "$1/$name"; then
			mount -t cgroup -o "$line" cgroup "$1/$name" || return
		fi
	done </proc/self/cgroup
}

inside() { # inside FIGURE
	enter
	mkdir -p "$work/share" "$work/$1"
	cp -rT "$top/webui-static" "$work/share/webui"
	export BENCH_WORK=$work/$1 LODGE_LIBEXEC_DIR=$work/libexec LODGE_SHARE_DIR=$work/share \
		PYTHONDONTWRITEBYTECODE=1
	# a child: this shell stays process 1 and takes in orphans
	python3 "$here/figure_$1.py"
	return $?
}

# ---- outside ----

group_name=lodge-bench-$$
group_folders() { # where this process is, in every hierarchy
	local controllers path name
	while IFS=: read -r _ controllers path; do
		name=${controllers#name=}
		[ -n "$controllers" ] || { [ -e /sys/fs/cgroup/cgroup.controllers ] && name=. || name=unified; }
		[ ! -d "/sys/fs/cgroup/$name" ] || echo "/sys/fs/cgroup/$name${path%/}"
	done </proc/self/cgroup
}

group_enter() {
	local folder
	for folder in "${groups[@]}"; do
		mkdir "$folder/$group_name" || die "cannot make $folder/$group_name"
		for f in cpuset.cpus cpuset.mems; do
			[ ! -e "$folder/cgroup.clone_children" ] || [ ! -e "$folder/$f" ] ||
				cat "$folder/$f" >"$folder/$group_name/$f"
		done
		# a group of its own may use no real time unless it is given some
		[ -z "${LODGE_BENCH_REALTIME:-}" ] || [ ! -e "$folder/$group_name/cpu.rt_runtime_us" ] ||
			echo 800000 >"$folder/$group_name/cpu.rt_runtime_us" || die "no real-time priority here"
		echo "$BASHPID" >"$folder/$group_name/cgroup.procs" || die "cannot enter $folder/$group_name"
	done
}

group_leave() { # processes in there have ended with their first one; the kernel takes a moment
	local folder
	for folder in "${groups[@]}"; do
		[ -d "$folder/$group_name" ] || continue
		for _ in {1..100}; do
			find "$folder/$group_name" -depth -type d -exec rmdir {} + 2>/dev/null && break
			sleep 0.05
		done
	done
}

clean() {
	# everything in the namespaces ends with their first process
	[ -z "$child" ] || { kill -KILL "$child"; wait "$child"; } 2>/dev/null
	group_leave
	if losetup -nO BACK-FILE | grep -qF "$work"; then
		echo "bench: loop devices are left: $(losetup -nO NAME,BACK-FILE | grep -F "$work")" >&2
	fi
	[ -n "${LODGE_BENCH_KEEP:-}" ] && echo "kept: $work" || rm -rf "$work"
}

if [ "${1:-}" = --inside ]; then
	work=$2
	shift 2
	inside "$@"
	exit
fi
if [ "${1:-}" = --full ]; then
	export BENCH_FULL=1
	shift
fi
[ $# -gt 0 ] || set -- "${all[@]}"
check "$@"
work=$(mktemp -d /var/tmp/lodge-bench.XXXXXX)
chmod 755 "$work"
mapfile -t groups < <(group_folders)
child=
trap clean EXIT
trap 'exit 1' HUP INT TERM
build "$@"
media "$@"
conditions
status=0
for figure; do
	echo
	(
		group_enter
		exec unshare --mount --net --pid --cgroup --ipc --fork --kill-child --mount-proc \
			bash "$here/run.sh" --inside "$work" "$figure"
	) &
	child=$!
	wait "$child" || {
		echo "$figure: failed, see the lines above"
		status=1
	}
	child=
	group_leave
done
echo
echo "load       $(cut -d' ' -f1-3 /proc/loadavg) after"
exit $status
