#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Changes that a running container follows at once, read where it reads them; what it cannot take waits. Suspend and
# resume; ends for want of memory; jobs that are killed in the middle.
. "$(dirname "$(readlink -f "$0")")/ct_lib.sh"
stub_core
busybox_template
mkdir "$lab/shared"
chmod 755 "$lab/shared"
echo data >"$lab/shared/file"
ip link add br0 type bridge
ip link set br0 up
ip address add 10.9.9.1/24 dev br0
ip link add br1 type bridge
ip link set br1 up

printf 'arch: amd64\nhostname: lv\nlock: create\nmemory: 128\nswap: 0\nunprivileged: 1\ncores: 1\n' | put_conf 101
ok "create, with a further volume" job vzcreate 101 ostemplate=local:vztmpl/busybox.tar.gz rootfs=local:0.1 \
	set.mp3=local:0.0625,mp=/srv
ok "it is in the config" grep -qx 'mp3: local:101/vm-101-disk-1.raw,mp=/srv,size=64M' "$(conf 101)"
ok "start" job vzstart 101
change() { job vzconfig 101 "$@"; }
has() { grep -qxF "$1" "$(conf 101)"; }
settled() { ! grep -q PENDING "$(conf 101)" || { cat "$(conf 101)"; return 1; }; }
group() { # group CONTROLLER: its folder on the host
	local p
	p=$(sed -n "s/^[0-9]*:[^:]*\b$1\b[^:]*://p" "/proc/$(pid_of 101)/cgroup")
	[ -n "$p" ] && echo "/sys/fs/cgroup/$1$p" || echo "/sys/fs/cgroup$(sed -n s/^0:://p "/proc/$(pid_of 101)/cgroup")"
}
limit() { cat "$(group "$1")/$2" 2>/dev/null || cat "$(group "$1")/$3"; } # limit CONTROLLER V1 V2
init=$(pid_of 101)

# limits
ok "memory and swap" change set.memory=96 set.swap=32
ok "are there" is $((96 << 20)) "$(limit memory memory.limit_in_bytes memory.max)"
ok "read inside" is $((96 << 20)) "$(inside 101 /bin/sh -c 'mkdir -p /run/cg
	if mount -t cgroup -o memory cg /run/cg 2>/dev/null; then cat /run/cg/memory.limit_in_bytes
	else mount -t cgroup2 cg /run/cg && cat /run/cg/memory.max; fi; umount /run/cg')"
ok "and nothing waits" settled
ok "in the config" has 'memory: 96'
ok "more" change set.memory=256 set.swap=512
ok "are there" is $((256 << 20)) "$(limit memory memory.limit_in_bytes memory.max)"
inside 101 /bin/sh -c 'mount -t tmpfs tmpfs /tmp && head -c 50000000 /dev/zero >/tmp/fill'
change set.memory=32 >"$lab/log"
ok "less than is in use" grep -q 'WARN.*memory: waits for the next start' "$lab/log"
ok "waits" grep -qx 'memory: 32' <(sed -n '/PENDING/,$p' "$(conf 101)")
ok "and the limit is as before" is $((256 << 20)) "$(limit memory memory.limit_in_bytes memory.max)"
inside 101 /bin/busybox rm /tmp/fill
ok "once there is room" change set.memory=33
ok "it is done" has 'memory: 33'
ok "nothing waits" settled
change set.memory=128 >/dev/null
ok "cores, seen by nproc" bash -c 'python3 "$1" vzconfig 101 set.cores=2 >/dev/null' _ "$here/ct_job.py"
ok "two" is 2 "$(inside 101 /bin/busybox nproc)"
ok "one again" change set.cores=1
ok "one" is 1 "$(inside 101 /bin/busybox nproc)"
ok "none named: all" change delete=cores
ok "all" is "$(nproc)" "$(inside 101 /bin/busybox nproc)"
ok "cpulimit, cpuunits" change set.cpulimit=0.25 set.cpuunits=50
ok "are there" bash -c '[[ "$1" =~ ^25000 ]] && [ "$2" = 50 ]' _ "$(limit cpu cpu.cfs_quota_us cpu.max)" "$(limit cpu cpu.shares cpu.weight)"
ok "and go" change delete=cpulimit,cpuunits
ok "are gone" bash -c '[[ "$1" =~ ^(-1|max) ]]' _ "$(limit cpu cpu.cfs_quota_us cpu.max)"
change set.features=nesting=1 set.tty=3 >"$lab/log"
ok "what cannot follow waits" grep -qx 'features: nesting=1' <(sed -n '/PENDING/,$p' "$(conf 101)")
ok "and says why" grep -q 'features: waits for the next start: rights' "$lab/log"
ok "for each" grep -q 'tty: waits for the next start: its terminals' "$lab/log"
ok "revert" change revert=features,tty
ok "nothing waits" settled
change lxc='lxc.prlimit.nofile = 1000' >"$lab/log"
ok "raw settings say when they count" grep -q 'lxc: counts from the next start' "$lab/log"
change lxc= >/dev/null

# what it is called and whom it asks
host_name=$(hostname)
ok "a name" change set.hostname=later
ok "is the kernel's inside" is later "$(inside 101 /bin/hostname)"
ok "and in its files" inside 101 /bin/sh -c '[ "$(cat /etc/hostname)" = later ] && grep -q "^127.0.1.1 later" /etc/hosts'
ok "which are root's inside" is 0 "$(inside 101 /bin/stat -c %u /etc/hostname)"
ok "the node has its own all the time" is "$host_name" "$(hostname)"
ok "servers and domains" change set.nameserver='10.1.1.1 10.1.1.2' set.searchdomain='a.example b.example'
ok "are asked" inside 101 /bin/sh -c 'grep -qx "search a.example b.example" /etc/resolv.conf && [ "$(grep -c ^nameserver /etc/resolv.conf)" = 2 ]'
ok "the domain is the name's" inside 101 /bin/grep -q '^127.0.1.1 later.a.example later' /etc/hosts
inside 101 /bin/sh -c 'cp /etc/resolv.conf /mine; echo "nameserver 192.0.2.9" >/etc/resolv.conf'
change set.nameserver=10.1.1.3 >"$lab/log"
ok "a file that is not ours stays, and that is said" grep -q 'WARN: nameserver.*of its own' "$lab/log"
ok "it does" inside 101 /bin/grep -q 192.0.2.9 /etc/resolv.conf
inside 101 /bin/sh -c 'cat /mine >/etc/resolv.conf'
ok "none named" change delete=nameserver,searchdomain
ok "the node's" inside_fails 101 /bin/grep -q '10.1.1.1' /etc/resolv.conf
inside 101 /bin/sh -c 'mkdir -p /usr/share/zoneinfo/Europe; echo TZ >/usr/share/zoneinfo/Europe/Prague'
ok "a time zone" change set.timezone=Europe/Prague
ok "is there" is TZ "$(inside 101 /bin/cat /etc/localtime)"
ok "nothing waits" settled
# a hostile one: links that lead outside, a file that never ends
inside 101 /bin/sh -c 'rm /etc/hostname /etc/hosts; ln -s /proc/1/root/../../../../etc/hostname /etc/hostname; mkfifo /etc/hosts'
before=$(cat /etc/hostname)
change set.hostname=again >"$lab/log"
ok "its links lead nowhere" is "$before" "$(cat /etc/hostname)"
ok "what cannot be written is said" grep -q 'WARN' "$lab/log"
ok "its name is there all the same" is again "$(inside 101 /bin/hostname)"
inside 101 /bin/sh -c 'rm -f /etc/hostname /etc/hosts'
ok "another" change set.hostname=lv
ok "lv" is lv "$(inside 101 /bin/hostname)"

# devices
opens() { inside 101 /bin/sh -c "exec 3<>$1"; }
opens_not() { inside_fails 101 /bin/sh -c "exec 3<>$1"; }
if [ -c /dev/fuse ]; then
	ok "a device" change set.dev0=/dev/fuse,mode=0666,uid=7
	ok "is there" is 7:666 "$(inside 101 /bin/stat -c %u:%a /dev/fuse)"
	ok "and opens" opens /dev/fuse
	ok "nothing waits" settled
	inside 101 /bin/sh -c ': >/keep; mount -o bind /dev/fuse /keep'
	ok "kept elsewhere it opens, too" opens /keep
	inside 101 /bin/sh -c 'exec 3</dev/fuse; exec sleep 60' &
	busy=$!
	ok "somebody inside has it open" wait_for 5 inside 101 /bin/sh -c 'ls -l /proc/[0-9]*/fd/3 2>/dev/null | grep -q dev/fuse'
	change delete=dev0 >"$lab/log"
	ok "one that is open waits" grep -q 'dev0: waits.*is in use' "$lab/log"
	inside 101 /bin/sh -c 'for p in $(ps | grep "sleep 60" | grep -v grep | while read p rest; do echo $p; done); do kill $p; done'
	wait $busy 2>/dev/null
	ok "once it is not" wait_for 10 bash -c 'python3 "$1" vzconfig 101 delete=dev0 | grep -q "taken away"' _ "$here/ct_job.py"
	ok "nothing is left of it" inside_fails 101 /bin/busybox test -e /dev/fuse
	if grep -qs '[:,]devices[:,]' "/proc/$init/cgroup"; then
		ok "what was kept elsewhere opens no more" opens_not /keep
		ok "for reading only" change set.dev0=/dev/fuse,mode=0666,deny-write=1
		ok "does not open for writing" opens_not /dev/fuse
		ok "for reading it does" inside 101 /bin/sh -c 'exec 3</dev/fuse'
		ok "for both again" change set.dev0=/dev/fuse,mode=0666
		ok "opens" opens /dev/fuse
	else
		ok "for reading only: not on this host" bash -c 'python3 "$1" vzconfig 101 set.dev0=/dev/fuse,deny-write=1 | grep -q "dev0: waits"' _ "$here/ct_job.py"
		change revert=dev0 >/dev/null
	fi
	inside 101 /bin/busybox umount /keep
	ok "one that all have" change set.dev1=/dev/null
	ok "stays when its key goes" change delete=dev1
	ok "null" inside 101 /bin/sh -c 'echo x >/dev/null'
	change delete=dev0 >/dev/null
	change set.dev0=/dev/none >"$lab/log"
	ok "what is no device" grep -q "dev0: waits.*'/dev/none' is no device of this node" "$lab/log"
	change revert=dev0 >/dev/null
	ok "nothing waits" settled
fi

# interfaces
net='name=eth0,bridge=br0,hwaddr=BC:24:11:00:00:07,ip=10.9.9.7/24,gw=10.9.9.1,type=veth'
ok "an interface more" change "set.net0=$net"
ok "it is there, up, with its address" inside 101 /bin/sh -c 'ip -o -4 addr show dev eth0 | grep -q 10.9.9.7/24 && ip -o link show dev eth0 | grep -q "[<,]UP[,>]"'
ok "and its hardware address" inside 101 /bin/sh -c 'ip -o link show dev eth0 | grep -qi bc:24:11:00:00:07'
ok "a route" inside 101 /bin/sh -c 'ip route | grep -q "default via 10.9.9.1"'
ok "the node reaches it" ping -c1 -W2 10.9.9.7
ok "nothing waits" settled
printf '%s\n' '#!/bin/sh' 'readlink /proc/self/fd/2 >/errors' 'echo "it will not" >&2' 'exit 3' |
	inside 101 /bin/sh -c 'cat >/bin/networkctl; chmod 755 /bin/networkctl'
change "set.net0=${net/10.9.9.7\/24,gw=10.9.9.1/dhcp}" >"$lab/log"
ok "a program inside is asked for an address" grep -q '^networkctl: it will not' "$lab/log"
ok "and gets no file of the node" bash -c '[[ "$1" = pipe:* ]]' _ "$(inside 101 /bin/cat /errors)"
inside 101 /bin/busybox rm /bin/networkctl
ok "another address" change "set.net0=${net/9.7/9.8}"
ok "is there, the old one is not" inside 101 /bin/sh -c 'ip -o -4 addr show dev eth0 | grep -q 10.9.9.8/24 && ! ip -o -4 addr show dev eth0 | grep -q 10.9.9.7/24'
index=$(inside 101 /bin/cat /sys/class/net/eth0/ifindex 2>/dev/null)
ok "another bridge" change "set.net0=${net/br0/br1}"
ok "it is there" [ /sys/class/net/veth101i0/master -ef /sys/class/net/br1 ]
ok "a switched off link" change "set.net0=$net,link_down=1"
ok "is off" bash -c 'inside_state=$(cat /sys/class/net/veth101i0/operstate); [ "$inside_state" = down ]'
ok "on again" change "set.net0=$net"
ok "the node reaches it again" wait_for 5 ping -c1 -W1 10.9.9.7
change "set.net0=$net,rate=1" >"$lab/log"
if grep -q WARN "$lab/log"; then
	skip "rate" "$(grep WARN "$lab/log")"
else
	ok "a rate" bash -c 'tc qdisc show dev veth101i0 | grep -q "tbf.*rate 8388Kbit\|tbf.*rate 8[.0-9]*Mbit"'
fi
ok "another name: another device" change "set.net0=${net/eth0/lan0}"
ok "lan0 is there, eth0 is not" inside 101 /bin/sh -c 'ip link show dev lan0 && ! ip link show dev eth0'
change "set.net1=name=t0,bridge=br0,tag=5,hwaddr=BC:24:11:00:00:08" >"$lab/log"
ok "a VLAN on a bridge that knows none waits, and says so" grep -q "net1: waits.*tag needs a bridge that knows VLANs" "$lab/log"
ok "no device of it is left" not test -e /sys/class/net/veth101i1
change revert=net1 >/dev/null
ok "a bridge that is not there" bash -c 'python3 "$1" vzconfig 101 "set.net1=name=t0,bridge=brx,hwaddr=BC:24:11:00:00:08" |
	grep -q "net1: waits.*bridge .brx. does not exist"' _ "$here/ct_job.py"
change revert=net1 >/dev/null
ok "remove" change delete=net0
ok "it is gone on both sides" bash -c '! test -e /sys/class/net/veth101i0'
ok "inside, too" inside_fails 101 /bin/busybox ip link show dev lan0
ok "nothing waits" settled

# mount points
ok "a folder" change "set.mp0=$lab/shared,mp=/mnt/shared"
ok "is there" is data "$(inside 101 /bin/cat /mnt/shared/file)"
# one mount in the other: what is written in the first must not choose what or where the second one is
mkdir "$lab/secret" "$lab/shared/b"
echo canary >"$lab/secret/canary"
refused() { change "$1" >"$lab/log"; grep -q "$2" "$lab/log"; } # refused SET TEXT
rm -rf "$lab/shared/b" && ln -s "$lab/secret" "$lab/shared/b"
ok "a folder that became a link is not mounted" refused "set.mp2=$lab/shared/b,mp=/mnt/b" "symbolic link in '$lab/shared/b'"
ok "nothing of what it leads to is inside" inside_fails 101 /bin/cat /mnt/b/canary
change revert=mp2 >/dev/null
rm "$lab/shared/b" && ln -s /etc "$lab/shared/b"
ok "a place that became a link is none" refused "set.mp2=$lab/secret,mp=/mnt/shared/b/new" "guest's /mnt/shared/b/new.*symbolic link"
ok "and nothing was made where it leads" inside_fails 101 /bin/ls /etc/new
change revert=mp2 >/dev/null
rm "$lab/shared/b" && mkdir "$lab/shared/b"
ok "a folder in a folder" change "set.mp2=$lab/secret,mp=/mnt/shared/b"
ok "is there" is canary "$(inside 101 /bin/cat /mnt/shared/b/canary)"
ok "and goes" change delete=mp2
ok "is gone" inside_fails 101 /bin/cat /mnt/shared/b/canary
ok "a new volume" change set.mp1=local:0.0625,mp=/mnt/new
ok "is in the config" has 'mp1: local:101/vm-101-disk-2.raw,mp=/mnt/new,size=64M'
ok "root inside writes to it" inside 101 /bin/sh -c 'echo x >/mnt/new/f && [ "$(stat -c %u /mnt/new/f)" = 0 ]'
ok "read-only" change set.mp1=local:101/vm-101-disk-2.raw,mp=/mnt/new,ro=1,size=64M
ok "it is" inside_fails 101 /bin/sh -c 'echo y >/mnt/new/f'
ok "what was written is there" is x "$(inside 101 /bin/cat /mnt/new/f)"
ok "elsewhere" change set.mp1=local:101/vm-101-disk-2.raw,mp=/opt/new,size=64M
ok "it is there" is x "$(inside 101 /bin/cat /opt/new/f)"
inside 101 /bin/sh -c 'cd /opt/new && exec sleep 60' &
busy=$!
ok "somebody inside is in it" wait_for 5 inside 101 /bin/sh -c 'ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -q opt/new'
change delete=mp1 >"$lab/log"
ok "one that is in use waits" grep -q "mp1: waits.*is in use" "$lab/log"
ok "and stays" is x "$(inside 101 /bin/cat /opt/new/f)"
kill $busy 2>/dev/null
inside 101 /bin/sh -c 'for p in $(ps | grep "sleep 60" | grep -v grep | while read p rest; do echo $p; done); do kill $p; done'
ok "once it is not" wait_for 10 bash -c 'python3 "$1" vzconfig 101 delete=mp1 | grep -q "unmounted from" ' _ "$here/ct_job.py"
ok "its volume is unused now" has 'unused0: local:101/vm-101-disk-2.raw'
ok "free for others" wait_for 5 bash -c '! losetup -nO BACK-FILE | grep -q disk-2'
ok "one from the start goes as well" change delete=mp3
ok "its volume is free" wait_for 5 bash -c '! losetup -nO BACK-FILE | grep -q disk-1'
ok "deleting unused ones frees them" change delete=unused0,unused1
ok "they are gone" bash -c '! ls '"$LODGE_STATE_DIR"'/local/images/101 | grep -v disk-0'
ok "at once" settled
ok "it is the same container all the time" is "$init" "$(pid_of 101)"

# what its file system does
mounted_not() { inside 101 true && not mount_of "$1"; }
mount_of() { grep " $1 " "/proc/$(pid_of 101)/mountinfo"; }
change set.mp1=local:0.0625,mp=/mnt/new,acl=0 >"$lab/log"
ok "without ACLs" mount_of /mnt/new
has_acl() { python3 -c 'import os, struct, sys
entry = lambda tag, perm: struct.pack("<HHI", tag, perm, 0xffffffff)
os.setxattr(sys.argv[1], "system.posix_acl_access", struct.pack("<I", 2) + entry(1, 7) + entry(4, 5) + entry(0x20, 5))' "/proc/$(pid_of 101)/root$1"; }
if grep -q 'acl=0 has no effect' "$lab/log"; then
	ok "this kernel always has them" has_acl /mnt/new
else
	ok "it has none" not has_acl /mnt/new
fi
ok "with them" change set.mp1="$(sed -n 's/^mp1: //;s/acl=0/acl=1/p' "$(conf 101)" | head -n1)"
ok "it has" has_acl /mnt/new
ok "all mount options" change set.mp1="$(sed -n 's/^mp1: //p' "$(conf 101)" | sed 's/,acl=1//'),mountoptions=noatime;nodev;noexec;nosuid;lazytime;discard"
ok "are there" bash -c 'for o in noatime nodev noexec nosuid lazytime discard; do grep -q "[ ,]$o\>" <<<"$1" || { echo "$o: $1"; exit 1; }; done' _ "$(mount_of /mnt/new)"
ok "no program runs from it" inside_fails 101 /bin/sh -c 'cp /bin/busybox /mnt/new/busybox && /mnt/new/busybox true'
ok "quotas inside are refused" job_fails "quota: there are no user quotas inside containers" vzconfig 101 "set.mp1=$(sed -n 's/^mp1: //p' "$(conf 101)"),quota=1"
ok "away" change delete=mp1
ok "its volume, too" change delete=unused0
ok "nothing waits" settled
inside 101 /bin/sh -c 'mkdir -p /real /by; ln -s real /link; ln -s /real/deeper /by/last; mkdir /real/deeper'
ok "below a link of its root" change set.mp1="$lab/shared,mp=/link/there"
ok "it is where that leads" mount_of /real/there
ok "away" change delete=mp1
ok "it is gone" mounted_not /real/there
ok "on a link of its root" change set.mp1="$lab/shared,mp=/by/last"
ok "it is there" mount_of /real/deeper
ok "away" change delete=mp1
ok "it is gone" mounted_not /real/deeper
ok "one more" change set.mp1="$lab/shared,mp=/real/file"
ok "unmounted inside, a file in its place" inside 101 /bin/sh -c 'umount /real/file && rmdir /real/file && : >/real/file'
ok "goes" change delete=mp1
ok "and the file stays" inside 101 /bin/busybox test -f /real/file
ok "nothing waits" settled

# suspend and resume
counter() { inside 101 /bin/cat /tmp/count; }
inside 101 /bin/sh -c '(while :; do i=$((i + 1)); echo $i >/tmp/count; sleep 0.05; done) >/dev/null 2>&1 &' || :
ok "suspend" job vzsuspend 101
ok "the core was told" grep -q 'vmid=101.*state=paused' "$states"
ok "again is refused" job_fails "CT 101 is suspended already" vzsuspend 101
ok "its processes are frozen" bash -c 'grep -qs FROZEN "$1/freezer.state" || grep -qs "frozen 1" "$2/cgroup.events"' _ "$(group freezer)" "$(group none)"
ok "resume" job vzresume 101
ok "and not again" job_fails "CT 101 is not suspended" vzresume 101
ok "it goes on" inside 101 true
job vzsuspend 101 >/dev/null
ok "stop of a suspended one" job vzstop 101
ok "nothing left" clean_behind 101
ok "start" job vzstart 101
job vzsuspend 101 >/dev/null
ok "shutdown of a suspended one" job vzshutdown 101 timeout=20
ok "nothing left" clean_behind 101

# for want of memory
job vzstart 101 >/dev/null
: >"$states"
inside 101 /bin/sh -c 'mount -t tmpfs -o size=1g tmpfs /tmp; head -c 400000000 /dev/zero >/tmp/fill' >/dev/null 2>&1
job vzstop 101 >/dev/null
ok "kills for want of memory are told with the end" grep -q 'state=stopped.*oom_kills=[1-9]' "$states"
ok "nothing left" clean_behind 101

# a privileged one may make nodes, but opens only what it was given
if [ -c /dev/fuse ]; then
	printf 'arch: amd64\nhostname: pv\nlock: create\nmemory: 64\nswap: 0\nunprivileged: 0\n' | put_conf 102
	ok "create a privileged one" job vzcreate 102 ostemplate=local:vztmpl/busybox.tar.gz rootfs=local:0.1
	ok "start" job vzstart 102
	inside 102 /bin/busybox mknod /fuse c 10 229
	opens_there() { inside 102 /bin/sh -c "exec 3<>$1"; }
	opens_not_there() { inside_fails 102 /bin/sh -c "exec 3<>$1"; }
	ok "a node of its own does not open" opens_not_there /fuse
	job vzconfig 102 set.dev0=/dev/fuse >"$lab/log"
	if grep -qs '[:,]devices[:,]' "/proc/$(pid_of 102)/cgroup"; then
		ok "given, it opens" opens_there /dev/fuse
		ok "as does its own" opens_there /fuse
		ok "taken away" job vzconfig 102 delete=dev0
		ok "neither does" opens_not_there /fuse
		rules() { cat "/sys/fs/cgroup/devices$(sed -n 's/^[0-9]*:[^:]*\bdevices\b[^:]*://p' "/proc/$(pid_of 102)/cgroup")/devices.list"; }
		before=$(rules)
		inside 102 /bin/busybox mkdir -p /dev/fuse
		job vzconfig 102 set.dev0=/dev/fuse >"$lab/log"
		ok "one that cannot be attached waits" grep -q 'dev0: waits' "$lab/log"
		ok "and its rule is taken back" is "$before" "$(rules)"
		ok "so its own node does not open" opens_not_there /fuse
		job vzconfig 102 revert=dev0 >/dev/null
		ok "nothing waits" not grep -q PENDING "$(conf 102)"
	else
		ok "where liblxc cannot change its rules it waits" grep -q 'dev0: waits' "$lab/log"
		job vzstop 102 >/dev/null
		ok "start" job vzstart 102
		ok "it opens" opens_there /dev/fuse
	fi
	job vzstop 102 >/dev/null
	ok "destroy" job vzdestroy 102
fi

# protection
echo 'protection: 1' >>"$(conf 101)"
ok "a protected one is not destroyed" job_fails "protection mode enabled" vzdestroy 101
sed -i '/^protection/d' "$(conf 101)"

# a job that is killed while it makes a volume leaves nothing that is not named
use_steps
ok "kill while it makes a file system" kill_at mkfs vzconfig 101 set.mp1=local:0.0625,mp=/mnt/new
ok "its volume is named" grep -q '^unused0: local:101/vm-101-disk-[0-9]*.raw' "$(conf 101)"
ok "it can be removed" change delete=unused0
ok "and is" bash -c '! ls '"$LODGE_STATE_DIR"'/local/images/101 | grep -v disk-0'
ok "destroy" job vzdestroy 101
ok "no volume is left" not test -e "$LODGE_STATE_DIR/local/images/101"
