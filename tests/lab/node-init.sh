#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# First process of a lab node, in new namespaces: builds the node's root file system, enters it, becomes
# tini. Called by node.sh: node-init.sh NAME LAB.
set -e
name=$1 lab=$2 dir=$2/$1 root=$2/$1/root
. "$(dirname "$(readlink -f "$0")")/node-root.sh"

mount --make-rprivate /
mkdir -p "$dir/fs"
mount -o loop,discard "$dir/disk" "$dir/fs"
mkdir -p "$dir"/fs/{upper,work,lodge,lxc,log}
mount -t overlay overlay -o lowerdir=/,upperdir="$dir/fs/upper",workdir="$dir/fs/work" "$root"
bind "$dir/fs/lodge" /var/lib/lodge
bind "$dir/fs/lxc" /var/lib/lxc
bind "$dir/fs/log" /var/log
bind "$lab" /lab
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir -p "$root/run/lock"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"

root_dev
node kmsg 1 11 600 c
mount -t mqueue mqueue "$root/dev/mqueue"
root_cgroups
root_enter
ip link set lo up
touch "/lab/$name/up"
exec env -i LODGE_LAB="$lab" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	tini -s -- sleep infinity
