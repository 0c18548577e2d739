#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Volumes of running containers, which are reached from outside: what is mounted inside, or does not answer there, is no
# matter. Snapshots, growing, owners.
. "$(dirname "$(readlink -f "$0")")/ct_lib.sh"
stub_core
busybox_template
btrfs_image=$(mktemp /tmp/ct-btrfs.XXXXXX)
truncate -s 1G "$btrfs_image"
mkdir "$lab/btr" && mkfs.btrfs -q "$btrfs_image" && mount -o loop "$btrfs_image" "$lab/btr" ||
	{ rm -f "$btrfs_image"; trap - EXIT; kill "$core_pid"; rm -rf "$lab"; echo "1..0 # SKIP no btrfs here"; exit 0; }
rm "$btrfs_image"
# the path that a storage is configured by is a link
mkdir "$lab/real"
ln -s "$lab/real" "$lab/link"
{
	printf 'btrfs: btr\n\tpath %s\n\tcontent rootdir,images\n' "$lab/btr"
	printf 'dir: linked\n\tpath %s\n\tcontent rootdir,images\n' "$lab/link"
} >>"$store/storage.cfg"
# a node that is a container itself may not grow what is mounted
may_grow=$(($(sed -n 's/^CapEff:\t/0x/p' /proc/self/status) >> 24 & 1))
[ "$may_grow" = 1 ] || may_grow=
blocks() { inside "$1" /bin/busybox df -k "$2" | awk 'END { print $2 }'; } # blocks VMID FOLDER: in KiB
has() { grep -qxF "$2" "$(conf "$1")"; }
loops_are_free() { ! losetup -nO BACK-FILE | grep -q "$1"; }

# snapshots
printf 'hostname: v\nlock: create\nmemory: 64\nswap: 0\nunprivileged: 1\n' | put_conf 501
ok "create" job vzcreate 501 ostemplate=local:vztmpl/busybox.tar.gz rootfs=local:0.1 \
	set.mp0=local:0.0625,mp=/data set.mp1=btr:0.0625,mp=/tree
for key in rootfs mp0; do # as images: new ones are trees there
	ok "$key is moved" job vzmove 501 volume=$key storage=btr delete=1
done
ok "start" job vzstart 501
inside 501 /bin/sh -c 'echo root >/file; echo mp >/data/file'
ok "a snapshot while it runs" timeout 60 python3 "$here/ct_job.py" vzsnapshot 501 snapname=first
in_snapshot() { # in_snapshot KEY NAME: the file in that volume; much of it is in the journal yet
	cp "$lab/btr/images/501/$(sed -n "s/^$1: btr:501.\([^.]*\).*/\1/p" "$(conf 501)" | head -n1)@$2/disk.raw" "$lab/copy" && e2fsck -f -y "$lab/copy" >/dev/null
	debugfs -R 'cat file' "$lab/copy" 2>/dev/null
}
ok "has what was written" is root "$(in_snapshot rootfs first)"
ok "on each volume" is mp "$(in_snapshot mp0 first)"
ok "it goes on" inside 501 true
inside 501 /bin/sh -c 'echo later >/data/file'
python3 "$here/storage_fuse.py" /data "$(pid_of 501)" >"$lab/fuse" &
fuse=$!
wait_for 10 grep -q mounted "$lab/fuse"
pid=$(job --background vzsnapshot 501 snapname=second)
ok "one while its mount point is below what never answers" wait_for 60 test ! -e "/proc/$pid"
frozen() { grep -qs FROZEN "/sys/fs/cgroup/freezer/$1/freezer.state" || grep -qs 'frozen 1' "/sys/fs/cgroup/$1/cgroup.events"; }
group=$(sed -n 's/^[0-9]*:\(freezer\|\)://p' "/proc/$(pid_of 501)/cgroup" | head -n1)
ok "it goes on" not frozen "$group"
ok "the snapshot has what was written there" is later "$(in_snapshot mp0 second)"
if [ -n "$may_grow" ]; then
	ok "its volume grows as well" timeout 60 python3 "$here/ct_job.py" vzresize 501 disk=mp0 size=$((128 << 20))
	ok "it is in the config" grep -q '^mp0: btr:501/.*,size=128M' "$(conf 501)"
fi
kill $fuse
wait $fuse 2>/dev/null
ok "what did not answer is gone" wait_for 5 inside 501 /bin/busybox umount /data
[ -z "$may_grow" ] || ok "and inside it has the size" test "$(blocks 501 /data)" -gt 100000
ok "stop" job vzstop 501
ok "the snapshots go" job vzdelsnapshot 501 snapname=second
ok "both" job vzdelsnapshot 501 snapname=first
ok "destroy" job vzdestroy 501
ok "nothing is mounted any more" wait_for 5 loops_are_free "$lab/btr/"

# growing
printf 'hostname: g\nlock: create\nmemory: 64\nswap: 0\nunprivileged: 1\n' | put_conf 502
ok "create, on a path that is a link" job vzcreate 502 ostemplate=local:vztmpl/busybox.tar.gz rootfs=linked:0.1 \
	set.mp0=linked:0.0625,mp=/data
ok "start" job vzstart 502
if [ -n "$may_grow" ]; then
	ok "its root grows while it runs" job vzresize 502 disk=rootfs size=$((192 << 20))
	ok "it is in the config" has 502 'rootfs: linked:502/vm-502-disk-0.raw,size=192M'
	ok "and inside" test "$(blocks 502 /)" -gt 150000
else
	before=$(stat -c %s "$lab/real/images/502/vm-502-disk-0.raw")
	ok "its root is found, and cannot grow here" job_fails CAP_SYS_RESOURCE vzresize 502 disk=rootfs size=$((192 << 20))
	ok "and its image is as it was" is "$before" "$(stat -c %s "$lab/real/images/502/vm-502-disk-0.raw")"
fi
ok "unmounted inside" inside 502 /bin/busybox umount /data
ok "nobody has it" wait_for 5 loops_are_free vm-502-disk-1
ok "a volume that was unmounted inside grows" job vzresize 502 disk=mp0 size=$((128 << 20))
ok "it is in the config" has 502 'mp0: linked:502/vm-502-disk-1.raw,mp=/data,size=128M'
job vzconfig 502 set.mp0=linked:502/vm-502-disk-1.raw,mp=/data,ro=1,size=128M >/dev/null
ok "read-only" inside 502 /bin/grep -q ' /data ext4 ro' /proc/mounts
image=$lab/real/images/502/vm-502-disk-1.raw
ok "that does not grow" job_fails 'for reading only' vzresize 502 disk=mp0 size=$((256 << 20))
ok "and its image is as it was" is $((128 << 20)) "$(stat -c %s "$image")"
ok "stop" job vzstop 502
ok "then it does" job vzresize 502 disk=mp0 size=$((256 << 20))
ok "its file system is whole" e2fsck -f -n "$image"
ok "destroy" job vzdestroy 502
ok "nothing left" clean_behind 502

# a new volume gets owner and mode of what it is mounted on
printf 'hostname: o\nlock: create\nmemory: 64\nswap: 0\nunprivileged: 1\n' | put_conf 503
ok "create" job vzcreate 503 ostemplate=local:vztmpl/busybox.tar.gz rootfs=local:0.1
ok "start" job vzstart 503
inside 503 /bin/sh -c "for c in \"mkdir /own /other\" \"chown 5:6 /own /other\" \"chmod 1770 /own /other\"; do busybox \$c; done"
owner() { inside 503 /bin/stat -c %u:%g:%a "$1"; }
ok "folders" is 5:6:1770 "$(owner /own)"
ok "a volume that takes them" job vzconfig 503 set.mp0=local:0.0625,mp=/own,keepattrs=1
ok "is mounted" inside 503 /bin/grep -q ' /own ext4 ' /proc/mounts
ok "and has them" is 5:6:1770 "$(owner /own)"
ok "one that does not" job vzconfig 503 set.mp1=local:0.0625,mp=/other
ok "has its own" is 0:0:755 "$(owner /other)"
inside 503 /bin/busybox chmod 700 /own
ok "stop" job vzstop 503
ok "start" job vzstart 503
ok "what was set later stays" is 5:6:700 "$(owner /own)"
ok "and leaves the other alone" is 0:0:755 "$(owner /other)"
ok "destroy" job vzdestroy 503 force=1
umount "$lab/btr"
