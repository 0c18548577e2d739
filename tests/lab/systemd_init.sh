#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# First process of a lab node whose root file system is a Debian of its own, on the node's disk: mounts what
# a machine would have, becomes its systemd. Called by node.sh: systemd_init.sh NAME LAB.
set -e
name=$1 lab=$2 dir=$2/$1 root=$2/$1/root

mount --make-rprivate /
mount -o loop,discard "$dir/disk" "$root"
bind() { mkdir -p "$root$2" && mount --bind "$1" "$root$2"; }
bind "$lab" /lab
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t proc proc "$root/proc"
# what is the whole machine's, not the node's: kernel settings and devices are out of its reach
mount --bind "$root/proc/sys" "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,ro "$root/proc/sys"
if [ -e "$root/proc/sysrq-trigger" ]; then
	mount --bind "$root/proc/sysrq-trigger" "$root/proc/sysrq-trigger"
	mount -o remount,bind,ro "$root/proc/sysrq-trigger"
fi
mount -t sysfs sysfs "$root/sys"
mount -o remount,bind,ro "$root/sys"

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
node loop-control 10 237 600 c
# the kernel gives a guest proc and sysfs of its own only where whole ones can be seen
mkdir -p "$dev/.whole/proc" "$dev/.whole/sys"
mount -t proc proc "$dev/.whole/proc"
mount -t sysfs sysfs "$dev/.whole/sys"
chmod 700 "$dev/.whole"
mkdir "$dev/net" "$dev/pts" "$dev/shm" "$dev/mqueue"
node net/tun 10 200 666 c
for i in {0..63}; do node "loop$i" 7 "$i" 660 b; done
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$dev/shm"
ln -s pts/ptmx "$dev/ptmx"
ln -s /proc/self/fd "$dev/fd"
ln -s fd/0 "$dev/stdin"
ln -s fd/1 "$dev/stdout"
ln -s fd/2 "$dev/stderr"

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
touch "/lab/$name/up"
# the last word: systemd of Debian 13 boots on cgroup v1 only when told to
exec env -i container=lodge-lab LODGE_LAB="$lab" PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/sbin/init SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1
