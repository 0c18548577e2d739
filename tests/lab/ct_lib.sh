# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by ct_*.sh: a folder, a store and a stub core of our own, in a private mount, network and
# UTS namespace; TAP helpers; checks that nothing is left behind. Source it first.
# LODGE_LIBEXEC_DIR: where lodge-task-ct lies. needs_debian: set it first where debian_template is used.
cache=/var/cache/lodge-test
debian_packages=systemd-sysv,dbus,iproute2,udev,passwd,iputils-ping,sudo
debian=$cache/debian-$(cksum <<<"$debian_packages" | cut -d' ' -f1).tar.zst
debian_make() { # once for a list of packages, kept for all; where there is a network
	[ ! -s "$debian" ] || return 0
	mkdir -p "$cache"
	if mmdebstrap --variant=minbase --include=$debian_packages bookworm "$debian.$$.tar.zst" >"$debian.log" 2>&1; then
		mv "$debian.$$.tar.zst" "$debian"
	fi
	rm -f "$debian.$$.tar.zst"
}
if [ -z "$CT_LAB_INSIDE" ]; then
	[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root"; exit 0; }
	[ -x "$LODGE_LIBEXEC_DIR/lodge-task-ct" ] || { echo "1..0 # SKIP set LODGE_LIBEXEC_DIR"; exit 0; }
	[ -z "$needs_debian" ] || debian_make
	CT_LAB_INSIDE=1 exec unshare --mount --net --propagation private bash "$0" "$@"
fi
here=$(dirname "$(readlink -f "$0")")
lab=$(mktemp -d /tmp/ct-lab.XXXXXX)
export LODGE_BRIDGE=none LODGE_STATE_DIR=$lab/state LODGE_RUN_DIR=$lab/run ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
store=$lab/store states=$lab/states
count=0 failed=0
chmod 711 "$lab"
mkdir -p "$LODGE_STATE_DIR/local/template/cache" "$LODGE_RUN_DIR" "$store/nodes/lab/lxc"
ip link set lo up
# liblxc looks at /sys/class/net: it must show this network namespace
mkdir "$lab/sys" && mount -t sysfs sysfs "$lab/sys" && mount --rbind /sys/fs/cgroup "$lab/sys/fs/cgroup" &&
	mount --rbind "$lab/sys" /sys && umount -l "$lab/sys"
# id ranges for root, whatever the host has
for f in subuid subgid; do
	echo root:100000:65536 >"$lab/$f"
	[ -e /etc/$f ] || { : >/etc/$f; } 2>/dev/null
	mount --bind "$lab/$f" /etc/$f
done
printf 'dir: local\n\tpath %s/local\n\tcontent rootdir,images,vztmpl,iso\n' "$LODGE_STATE_DIR" >"$store/storage.cfg"

# Steps: the stub core, mkfs and our programs stop where they are told to, so that a job can be killed
# exactly there. want: the step; at: it was reached; hold: goes when it shall go on.
export CT_STEPS=$lab/steps
mkdir "$CT_STEPS"
use_steps() { # from here on jobs run these programs
	local real=$LODGE_LIBEXEC_DIR mkfs program
	mkfs=$(readlink -f "$(command -v mkfs.ext4)")
	mkdir "$lab/libexec" && cp "$mkfs" "$lab/mkfs.ext4"
	for program in lodge-task lodge-task-ct mkfs; do
		cat >"$lab/libexec/$program" <<-END
			#!/bin/bash
			case "$program \$1 \$2" in
			"lodge-task unpack "*) step=unpack ;;
			"lodge-task-ct hook "*) step=\$2 ;;
			"mkfs "*) step=mkfs ;;
			esac
			if [ -n "\$step" ] && [ "\$(cat $CT_STEPS/want 2>/dev/null)" = "\$step" ]; then
				rm "$CT_STEPS/want"
				: >"$CT_STEPS/at"
				while [ -e "$CT_STEPS/hold" ]; do read -rt 0.01 <> <(:); done
			fi
			[ $program = mkfs ] && exec -a mkfs.ext4 "$lab/mkfs.ext4" "\$@"
			exec "$real/$program" "\$@"
		END
		chmod 755 "$lab/libexec/$program"
	done
	mount --bind "$lab/libexec/mkfs" "$mkfs"
	export LODGE_LIBEXEC_DIR=$lab/libexec
}
is_there() { [ -e "$CT_STEPS/at" ]; }
kill_at() { # kill_at STEP COMMAND VMID…: SIGKILL for the job when it is at STEP; what was held goes on
	local step=$1 pid
	shift
	rm -f "$CT_STEPS"/*
	: >"$CT_STEPS/hold"
	echo "$step" >"$CT_STEPS/want"
	pid=$(job --background "$@")
	wait_for 20 is_there || { rm -f "$CT_STEPS"/*; return 1; }
	kill -9 "$pid"
	wait_for 5 not kill -0 "$pid"
	rm "$CT_STEPS/hold"
	case $step in
	call:*) wait_for 5 test -e "$CT_STEPS/answered" ;;
	*) wait_for 10 not pgrep -f "$lab/.* (unpack|hook) " ;;
	esac
}

core_pid=
stub_core() {
	coproc CORE { exec python3 "$here/ct_stub_core.py" "$LODGE_RUN_DIR/core.sock" "$store" "$states"; }
	core_pid=$CORE_PID
	read -r _ <&"${CORE[0]}"
}

finish() {
	for f in "$LODGE_RUN_DIR"/guests/[0-9]*; do
		case $f in *[0-9]) job vzstop "${f##*/}" >/dev/null 2>&1 ;; esac
	done
	[ -z "$core_pid" ] || kill "$core_pid" 2>/dev/null
	[ -n "$KEEP" ] || rm -rf "$lab" "/run/lxc/lock$lab"
	echo "1..$count"
	[ "$failed" = 0 ] || exit 1 # else with the status from before the trap
}
trap finish EXIT

ok() { # ok TEXT COMMAND…
	local text=$1
	shift
	count=$((count + 1))
	if "$@" >"$lab/out" 2>&1; then
		echo "ok $count - $text"
	else
		failed=$((failed + 1))
		echo "not ok $count - $text"
		sed 's/^/# /' "$lab/out" | head -40
	fi
}
is() { [ "$1" = "$2" ] || { printf "expected: %s\ngot:      %s\n" "$1" "$2"; return 1; }; }
skip() { # skip TEXT REASON
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}
not() { ! "$@"; }
job() { python3 "$here/ct_job.py" "$@"; }
job_fails() { # job_fails TEXT COMMAND VMID…: the job ends with an error that contains TEXT
	local text=$1 out
	shift
	out=$(job "$@") && { echo "did not fail: $out"; return 1; }
	echo "$out"
	grep -qF "TASK ERROR: " <<<"$out" && grep -qF "$text" <<<"$out"
}
conf() { echo "$store/nodes/lab/lxc/$1.conf"; }
put_conf() { cat >"$(conf "$1").new" && mv "$(conf "$1").new" "$(conf "$1")"; }
pid_of() { # init of a container
	python3 - "$LODGE_RUN_DIR/guests/$1" pid <<'PY'
import struct, sys
data = open(sys.argv[1], 'rb').read()
(count,) = struct.unpack_from('<H', data, 0)
at = 2
for _ in range(count):
    (n,) = struct.unpack_from('<H', data, at); name = data[at + 2:at + 2 + n].decode(); at += 2 + n
    (n,) = struct.unpack_from('<I', data, at); value = data[at + 4:at + 4 + n].decode(); at += 4 + n
    if name == sys.argv[2]:
        print(value)
PY
}
enter_groups() ( # enter_groups PID: the control groups of a process, for this shell
	while IFS=: read -r _ controllers path; do
		case $controllers in
		"") for g in /sys/fs/cgroup/unified /sys/fs/cgroup; do [ ! -e "$g/cgroup.controllers" ] || break; done ;;
		name=*) g=/sys/fs/cgroup/${controllers#name=} ;;
		*) g=/sys/fs/cgroup/${controllers%%,*} ;;
		esac
		[ ! -e "$g$path/cgroup.procs" ] || echo "$2" >"$g$path/cgroup.procs" || :
	done <"/proc/$1/cgroup"
) 2>/dev/null
inside() { # inside VMID COMMAND…: runs in a container, under its limits
	local vmid=$1 pid
	shift
	pid=$(pid_of "$vmid" 2>/dev/null) && [ -n "$pid" ] || { echo "$vmid does not run"; return 1; }
	(
		enter_groups "$pid" "$BASHPID"
		if [ /proc/self/ns/user -ef "/proc/$pid/ns/user" ]; then
			exec nsenter -t "$pid" -m -u -i -n -p -C -r -- "$@"
		else
			exec nsenter -t "$pid" -m -u -i -n -p -C -U -r -S 0 -G 0 -- "$@"
		fi
	)
}
inside_fails() { # inside_fails VMID COMMAND…: not because nobody could enter it
	inside "$1" true || { echo "$1 cannot be entered"; return 1; }
	not inside "$@"
}
wait_for() { # wait_for SECONDS COMMAND…: an event without a descriptor to wait on
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { "$@"; return; }
		read -rt 0.05 <> <(:) || :
	done
}
# No loop device on our images, no mount, no veth, no group, no record of a container.
clean_behind() {
	local vmid=$1 bad=
	wait_for 5 no_loops || bad="$bad loop:$(losetup -nO NAME,BACK-FILE | grep "$lab")"
	grep -q "ct/mnt/$vmid" /proc/self/mountinfo && bad="$bad mount"
	ip -o link | grep -q "veth${vmid}i" && bad="$bad veth"
	find /sys/fs/cgroup -maxdepth 2 -name "lxc.*.$vmid*" 2>/dev/null | grep . && bad="$bad cgroup"
	[ -e "$LODGE_RUN_DIR/guests/$vmid" ] && bad="$bad record"
	ls -A "$LODGE_RUN_DIR/ct" 2>/dev/null | grep -v "^mnt\$" && bad="$bad ct-folder"
	pgrep -f "\[lxc monitor\] $LODGE_RUN_DIR" && bad="$bad monitor"
	[ -z "$bad" ] || { echo "left behind: $bad"; return 1; }
}
no_loops() { ! losetup -nO BACK-FILE | grep -q "$lab"; }

busybox_template() { # a tiny system with busybox as init
	local root=$lab/busybox out=$LODGE_STATE_DIR/local/template/cache/busybox.tar.gz
	mkdir -p "$root"/{bin,sbin,etc/init.d,dev,proc,sys,run,tmp,root,var}
	cp "$(command -v busybox)" "$root/bin/busybox"
	for a in sh ls cat mount id ip hostname sleep reboot poweroff halt su stat grep ps true udhcpc; do
		ln -s busybox "$root/bin/$a"
	done
	ln -s ../bin/busybox "$root/sbin/init"
	ln -s /bin/busybox "$root/sbin/ifup"
	chmod u+s "$root/bin/busybox"
	printf '::sysinit:/bin/true\n::respawn:/bin/sleep 1000\n' >"$root/etc/inittab"
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:*:19000:0:99999:7:::\nbin:*:19000:0:99999:7:::\n' >"$root/etc/shadow"
	chmod 600 "$root/etc/shadow"
	tar -C "$root" --numeric-owner --owner=0 --group=0 -czf "$out" .
}
debian_template() { # false: it could not be made, $debian_reason says why
	[ -s "$debian" ] || { debian_reason=$(tail -n1 "$debian.log" 2>/dev/null); return 1; }
	ln -sf "$debian" "$LODGE_STATE_DIR/local/template/cache/debian.tar.zst"
}
