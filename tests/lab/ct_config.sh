#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a container's configuration does at its start, seen from inside: limits, mount points, devices, features, id
# maps, environment, hookscript.
. "$(dirname "$(readlink -f "$0")")/ct_lib.sh"
stub_core
busybox_template
snippets=$LODGE_STATE_DIR/local/snippets
sed -i 's/vztmpl,iso/vztmpl,iso,snippets/' "$store/storage.cfg"
mkdir -p "$snippets" "$lab/shared"
chmod 755 "$lab/shared"
printf 'data\n' >"$lab/shared/file"

printf 'arch: amd64\nhostname: cf\nlock: create\nmemory: 64\nswap: 0\nunprivileged: 1\n' | put_conf 101
ok "create" job vzcreate 101 ostemplate=local:vztmpl/busybox.tar.gz rootfs=local:0.1
base=$(cat "$(conf 101)")
start_with() { # start_with LINE…: the container with these lines more
	{ echo "$base"; printf '%s\n' "$@"; } | put_conf 101
	job vzstart 101
}
stop() { job vzstop 101 && clean_behind 101; }
fails() { # fails TEXT LINE…: a start is refused, nothing is left
	local text=$1
	shift
	{ echo "$base"; printf '%s\n' "$@"; } | put_conf 101
	job_fails "$text" vzstart 101 && clean_behind 101
}

# processors, memory; read where the container reads them
cat >"$snippets/hook.sh" <<-END
	#!/bin/sh
	echo "\$1 \$2" >>$lab/phases
	[ ! -e $lab/refuse ] || [ "\$2" != pre-start ] || { echo not now >&2; exit 3; }
	echo "said \$2"
END
chmod 755 "$snippets/hook.sh"
ok "start with limits, environment, hookscript" start_with 'cores: 1' 'cpulimit: 0.5' 'cpuunits: 77' \
	'env: COLOUR=deep red\0SHAPE=round' 'hookscript: local:snippets/hook.sh'
ok "nproc is cores" is 1 "$(inside 101 /bin/busybox nproc)"
group() { # group CONTROLLER: its folder on the host
	local c=$1 p
	p=$(sed -n "s/^[0-9]*:[^:]*\b$c\b[^:]*://p" "/proc/$(pid_of 101)/cgroup")
	[ -n "$p" ] && echo "/sys/fs/cgroup/$c$p" || echo "/sys/fs/cgroup$(sed -n s/^0:://p "/proc/$(pid_of 101)/cgroup")"
}
limit() { cat "$(group "$1")/$2" 2>/dev/null || cat "$(group "$1")/$3"; } # limit CONTROLLER V1 V2
ok "cpulimit" bash -c '[[ "$1" =~ ^50000 ]]' _ "$(limit cpu cpu.cfs_quota_us cpu.max)"
ok "cpuunits" is 77 "$(limit cpu cpu.shares cpu.weight)"
ok "environment of init" bash -c 'tr "\0" "\n" </proc/'"$(pid_of 101)"'/environ | grep -qx "COLOUR=deep red" &&
	tr "\0" "\n" </proc/'"$(pid_of 101)"'/environ | grep -qx SHAPE=round'
ok "stop" stop
ok "phases of the hookscript" is "101 pre-start 101 post-start 101 pre-stop 101 post-stop" "$(xargs <"$lab/phases")"
: >"$lab/refuse"
ok "a hookscript that refuses" fails "not now" 'hookscript: local:snippets/hook.sh'
rm "$lab/refuse"
ok "a hookscript that is not there" fails "hookscript: 'local:snippets/no.sh'" 'hookscript: local:snippets/no.sh'

# mount points
mkdir -p "$LODGE_STATE_DIR/local/images/101"
truncate -s 64M "$LODGE_STATE_DIR/local/images/101/vm-101-disk-1.raw"
mkfs.ext4 -q -F -E root_owner=0:0 "$LODGE_STATE_DIR/local/images/101/vm-101-disk-1.raw"
ok "start with a volume, a folder, a read-only folder" start_with \
	'mp0: local:101/vm-101-disk-1.raw,mp=/srv/data,mountoptions=noatime;nosuid,size=64M' \
	"mp1: $lab/shared,mp=/srv/data/below" "mp2: $lab/shared,mp=/mnt/ro,ro=1"
mounts() { cat "/proc/$(pid_of 101)/mountinfo"; }
ok "the volume is there, and root's" is 0 "$(inside 101 /bin/busybox stat -c %u /srv/data)"
ok "root inside writes to it" inside 101 /bin/sh -c 'echo x >/srv/data/f && [ "$(stat -c %u /srv/data/f)" = 0 ]'
ok "mount options" bash -c 'grep " /srv/data " "/proc/$1/mountinfo" | grep nosuid | grep -q noatime' _ "$(pid_of 101)"
ok "the folder shows its file" is data "$(inside 101 /bin/cat /srv/data/below/file)"
ok "a folder of the node keeps its owners" is 65534 "$(inside 101 /bin/busybox stat -c %u /mnt/ro/file)"
ok "root inside cannot write to what is root's" inside_fails 101 /bin/sh -c 'echo x >/srv/data/below/file'
chmod 666 "$lab/shared/file"
ok "what everybody may write, it may" inside 101 /bin/sh -c 'echo x >/srv/data/below/file'
ok "but not read-only" inside_fails 101 /bin/sh -c 'echo y >/mnt/ro/file'
ok "and root inside cannot take that off" inside_fails 101 /bin/busybox mount -o remount,bind,rw /mnt/ro
ok "still not" inside_fails 101 /bin/sh -c 'echo y >/mnt/ro/file'
ok "nothing of it on the host" not grep -q 'ct/mnt/101' /proc/self/mountinfo
ok "stop" stop
ok "what was written is in the volume" bash -c 'debugfs -R "cat f" "$1" 2>/dev/null | grep -qx x' _ "$LODGE_STATE_DIR/local/images/101/vm-101-disk-1.raw"
ok "a missing folder is named" fails "mp0: '/nowhere' is no folder" 'mp0: /nowhere,mp=/a'
ok "a missing volume is named" fails "mp3" 'mp3: local:101/vm-101-disk-9.raw,mp=/a'
# a link in the hostile root leads nowhere outside of it
start_with >/dev/null && inside 101 /bin/busybox ln -s ../../../../../../../../../../tmp /out && stop >/dev/null
ok "a target through a link" start_with "mp0: $lab/shared,mp=/out/there"
ok "stays inside" inside 101 /bin/busybox test -e /tmp/there/file
ok "stop" stop
# volumes that were there before their container: a link in one leads the other nowhere outside of the new root, least of
# all over the programs that fill it
mkdir -p "$lab/tree/$(basename "$LODGE_LIBEXEC_DIR")" "$LODGE_STATE_DIR/local/images/102"
ln -s "$LODGE_LIBEXEC_DIR" "$lab/tree/link"
for i in 5 6; do
	mkfs.ext4 -q -F -E root_owner=0:0 -d "$lab/tree" "$LODGE_STATE_DIR/local/images/102/vm-102-disk-$i.raw" 16M >/dev/null
done
above=$(dirname "$LODGE_LIBEXEC_DIR")
printf '%s\n' 'arch: amd64' 'hostname: cg' 'lock: create' 'memory: 64' 'swap: 0' 'unprivileged: 1' \
	"mp0: local:102/vm-102-disk-5.raw,mp=$above,size=16M" "mp1: local:102/vm-102-disk-6.raw,mp=$above/link,size=16M" |
	put_conf 102
ok "create with volumes that hold links" job vzcreate 102 ostemplate=local:vztmpl/busybox.tar.gz rootfs=local:0.1

# devices
ok "a device that is none" fails "dev0: '/dev/nowhere' is no device" 'dev0: /dev/nowhere'
ok "start with devices" start_with 'dev0: /dev/loop-control,uid=7,gid=8,mode=0640' 'dev1: /dev/kmsg,deny-write=1,mode=0666'
ok "owner and mode" is "7 8 640" "$(inside 101 /bin/busybox stat -c '%u %g %a' /dev/loop-control)"
ok "it is a device" inside 101 /bin/busybox test -c /dev/loop-control
ok "it opens" inside 101 /bin/sh -c 'exec 3<>/dev/loop-control'
ok "deny-write" inside_fails 101 /bin/sh -c 'echo x >/dev/kmsg'
ok "others cannot be opened by making them" inside_fails 101 /bin/busybox mknod /tmp/mem c 1 1
ok "stop" stop

# features
ns() { inside 101 /bin/busybox unshare -m -p -f /bin/busybox mount -t proc proc /proc; }
ok "start without features" start_with
ok "no FUSE" inside_fails 101 /bin/busybox test -e /dev/fuse
ok "stop" stop
ok "start with nesting, fuse" start_with 'features: nesting=1,fuse=1,keyctl=1'
ok "a further /proc, as a nested container has" ns
ok "FUSE" inside 101 /bin/sh -c 'exec 3<>/dev/fuse'
ok "stop" stop

# id maps: one user of the node passes through
printf 'root:100000:65536\nroot:1000:1\n' | tee "$lab/subuid" >"$lab/subgid"
mkdir "$lab/home" && chown 1000:1000 "$lab/home" && chmod 700 "$lab/home"
ok "start with a map of its own" start_with "mp0: $lab/home,mp=/home/joe" \
	'lxc.idmap: u 0 100000 1000' 'lxc.idmap: u 1000 1000 1' 'lxc.idmap: u 1001 101001 64535' \
	'lxc.idmap: g 0 100000 1000' 'lxc.idmap: g 1000 1000 1' 'lxc.idmap: g 1001 101001 64535'
ok "user 1000 is the node's" is 1000 "$(inside 101 /bin/busybox stat -c %u /home/joe)"
echo 'joe:x:1000:1000::/:/bin/sh' >"$lab/joe"
inside 101 /bin/sh -c 'cat >>/etc/passwd' <"$lab/joe"
ok "and writes what is theirs" inside 101 /bin/busybox su joe -c 'echo hi >/home/joe/f'
ok "seen from the node" is 1000 "$(stat -c %u "$lab/home/f")"
ok "stop" stop
ok "ids that are not root's are refused" fails "/etc/subuid does not give these ids to root" \
	'lxc.idmap: u 0 100000 1000' 'lxc.idmap: u 1000 1001 1' 'lxc.idmap: g 0 100000 65536'
echo root:100000:65536 | tee "$lab/subuid" >"$lab/subgid"

# raw settings, entrypoint, debug
ok "raw settings" start_with 'lxc.prlimit.nofile: 123' 'lxc.cap.drop: sys_chroot'
ok "a limit" grep -q '^Max open files *123 ' "/proc/$(pid_of 101)/limits"
ok "a capability less" bash -c '[ $((0x$(sed -n "s/^CapBnd:[[:space:]]*//p" "/proc/$1/status") >> 18 & 1)) = 0 ]' _ "$(pid_of 101)"
ok "stop" stop
ok "another init" start_with 'entrypoint: /bin/sleep 4711'
ok "it is that" bash -c 'tr "\0" " " </proc/'"$(pid_of 101)"'/cmdline | grep -q "/bin/sleep 4711"'
ok "stop" stop
echo "$base" | put_conf 101
ok "debug: liblxc's words are in the log" bash -c 'python3 "$1" vzstart 101 debug=1 | grep -q "DEBUG.*conf"' _ "$here/ct_job.py"
ok "stop" stop
ok "destroy" job vzdestroy 101
