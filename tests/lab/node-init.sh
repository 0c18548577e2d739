#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# First process of a lab node, in new namespaces: builds the node's root file system, enters it, becomes
# tini. Called by node.sh: node-init.sh NAME LAB.
set -e
name=$1 lab=$2 dir=$2/$1 root=$2/$1/root

mount --make-rprivate /
mkdir -p "$dir/fs"
mount -o loop,discard "$dir/disk" "$dir/fs"
mkdir -p "$dir"/fs/{upper,work,lodge,lxc,log}
mount -t overlay overlay -o lowerdir=/,upperdir="$dir/fs/upper",workdir="$dir/fs/work" "$root"

bind() { mkdir -p "$root$2" && mount --bind "$1" "$root$2"; }
bind "$dir/fs/lodge" /var/lib/lodge
bind "$dir/fs/lxc" /var/lib/lxc
bind "$dir/fs/log" /var/log
bind "$lab" /lab
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir -p "$root/run/lock"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"

# /dev: what programs need, no kvm, no disks of the host
dev=$root/dev
mount -t tmpfs -o mode=755 tmpfs "$dev"
node() { mknod -m "${4:-666}" "$dev/$1" "$5" "$2" "$3"; }
node null 1 3 666 c
node zero 1 5 666 c
node full 1 7 666 c
node random 1 8 666 c
node urandom 1 9 666 c
node tty 5 0 666 c
node fuse 10 229 666 c
node kmsg 1 11 600 c
node loop-control 10 237 600 c
mkdir "$dev/net" "$dev/pts" "$dev/shm" "$dev/mqueue"
node net/tun 10 200 666 c
for i in {0..63}; do node "loop$i" 7 "$i" 660 b; done
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$dev/pts"
mount -t tmpfs -o mode=1777,size=1g tmpfs "$dev/shm"
mount -t mqueue mqueue "$dev/mqueue"
ln -s pts/ptmx "$dev/ptmx"
ln -s /proc/self/fd "$dev/fd"
ln -s fd/0 "$dev/stdin"
ln -s fd/1 "$dev/stdout"
ln -s fd/2 "$dev/stderr"

# the same controllers as the host; this namespace shows the node's groups as their roots
groups=$root/sys/fs/cgroup
if [ -e /sys/fs/cgroup/cgroup.procs ]; then
	mount -t cgroup2 cgroup2 "$groups"
else
	mount -t tmpfs -o mode=755 tmpfs "$groups"
	for c in /sys/fs/cgroup/*/; do
		c=${c%/} c=${c##*/}
		mkdir "$groups/$c"
		case $c in
		unified) mount -t cgroup2 cgroup2 "$groups/$c" ;;
		systemd) mount -t cgroup -o none,name=systemd cgroup "$groups/$c" ;;
		*) mount -t cgroup -o "$c" cgroup "$groups/$c" ;;
		esac
	done
fi

mkdir -p "$root/.old"
cd "$root"
pivot_root . .old
umount -l /.old
cd /
rmdir /.old 2>/dev/null || :
hostname "$name"
echo "$name" >/etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >/etc/hosts
ip link set lo up
touch "/lab/$name/up"
exec env -i LODGE_LAB="$lab" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	tini -s -- sleep infinity
