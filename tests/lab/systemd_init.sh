#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# First process of a lab node whose root file system is a Debian of its own, on the node's disk: mounts what
# a machine would have, becomes its systemd. Called by node.sh: systemd_init.sh NAME LAB.
set -e
name=$1 lab=$2 dir=$2/$1 root=$2/$1/root
. "$(dirname "$(readlink -f "$0")")/node-root.sh"

mount --make-rprivate /
mount -o loop,discard "$dir/disk" "$root"
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

root_dev
# the kernel gives a guest proc and sysfs of its own only where whole ones can be seen
mkdir -p "$root/dev/.whole/proc" "$root/dev/.whole/sys"
mount -t proc proc "$root/dev/.whole/proc"
mount -t sysfs sysfs "$root/dev/.whole/sys"
chmod 700 "$root/dev/.whole"
root_cgroups
root_enter
touch "/lab/$name/up"
# the last word: systemd of Debian 13 boots on cgroup v1 only when told to
exec env -i container=lodge-lab LODGE_LAB="$lab" PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/sbin/init SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1
