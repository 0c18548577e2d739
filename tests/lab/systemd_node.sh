# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A lab node that is a Debian machine of its own, with systemd as its first process. Sourced after lib.sh
# and systemd_tree.sh; the other lab_ functions serve it as well.
#
#   systemd_make NAME ARCHIVE   its disk, from an archive of tree_archive
#   systemd_boot NAME           also again after systemd_reboot
#   systemd_reboot NAME         from inside; returns when it is down
# shellcheck disable=SC2154,SC2034

systemd_make() {
	local name=$1 archive=$2 dir=$LAB/$1
	mkdir -p "$dir/root"
	lab_next=$((lab_next + 1))
	lab_number[$name]=$lab_next
	lab_names="$lab_names $name"
	truncate -s 12G "$dir/disk" && mkfs.ext4 -q -F -m 0 "$dir/disk" &&
		unshare --mount --propagation private bash -c 'set -o pipefail
			mount -o loop "$2/disk" "$2/root" && zstd -dcq "$1" | tar -C "$2/root" -xpf - \
				--numeric-owner --xattrs --xattrs-include="*"' sh "$archive" "$dir"
}
systemd_boot() {
	local lab_init=systemd_init.sh
	lab_start "$1" && wait_for 60 systemd_is_up "$1"
}
systemd_is_up() { # "degraded" would be a unit that failed
	is running "$(lab_in "$1" systemctl is-system-running)"
}
systemd_is_down() { [ ! -e "/proc/${lab_pid[$1]}" ]; }
systemd_reboot() {
	lab_in "$1" systemctl reboot
	wait_for 60 systemd_is_down "$1" && lab_kill "$1"
}
# What the machine must not do to the one it runs on, and what has no use in it.
systemd_hook='systemctl mask systemd-sysctl.service systemd-random-seed.service systemd-timesyncd.service \
	systemd-udev-trigger.service console-getty.service getty.target apt-daily.timer \
	apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer dpkg-db-backup.timer
rm -f /etc/machine-id /etc/hostname; : >/etc/machine-id'
