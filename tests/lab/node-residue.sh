#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs inside a lab node: lists everything that guests and jobs leave while they live. What a test made
# and took away again must not change this list.
disk=$(stat -c '%d' /var/lib/lodge) # loop devices of other nodes show here too: ours lie on our disk
disk=$((disk >> 8 & 4095)):$((disk & 255))
# a node that was started again may sit on another loop device
awk '{gsub(/loop[0-9]+/, "loop", $9); print "mount", $5, $9}' /proc/1/mountinfo | sort
losetup -nO BACK-MAJ:MIN,BACK-FILE | awk -v disk="$disk" '$1 == disk {print "loop", $2}' | sort
ip -o link | awk -F'[:@ ]+' '$2 != "eth0" {print "link", $2}' | sort
nft list tables | sed 's/^/nft /'
find /sys/fs/cgroup -mindepth 2 -type d | grep -E 'lxc|lodge|ct[.-]?[0-9]' |
	grep -v 'lxc.pivot$' | # liblxc makes it once, for all containers, and leaves it
	 sed 's/^/cgroup /' | sort
find /var/lib/lodge/local/images /run/lodge/guests /run/lodge/ct /run/lodge/jobs -mindepth 1 ! -path /run/lodge/ct/mnt 2>/dev/null |
	sed 's/^/file /' | sort
find /var/lib/lodge /run/lodge -name '*.tmp*' -o -name '*.new*' -o -name 'new-*' | sed 's/^/file /' | sort
ps -eo comm=,args= | grep -E 'lxc|lodge-task|lodge-hook' | grep -v grep | sed 's/^/process /'
:
