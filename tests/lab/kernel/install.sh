# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The product on the machine, by the functions of quickstart.sh; what is not here is what they would install and build.
# shellcheck disable=SC2034,SC2154
say() { echo "# $*"; }
warn() { echo "# warning: $*"; }
die() { echo "not ok - installation: $*"; exit 1; }
for file in packages files service first; do
	# shellcheck disable=SC1090
	. "/lab/setup/$file.sh"
done

install_node() {
	LODGE_NODE=$node LODGE_ADMIN_PASSWORD=correct-horse-7
	# not by files_place: its four programs a file take a minute here
	files_user && files_subids && cp -a /lab/product/. / && conf_write && network_apply && service_start &&
		service_wait 60 && first_admin
}
swap_on() { mkswap -q /dev/vdd && swapon /dev/vdd; }
put_templates() {
	mkdir -p /var/lib/lodge/local/template/cache && cp /lab/templates/* /var/lib/lodge/local/template/cache/
}
is_content() { is running "$(systemctl is-system-running)"; }

ok "unified control groups" grep -q ' /sys/fs/cgroup cgroup2 ' /proc/mounts
ok "AppArmor" is Y "$(cat /sys/module/apparmor/parameters/enabled)"
ok "swap" swap_on
ok "Lodge is installed" install_node
ok "systemd is content" wait_for 30 is_content
ok "its units are active" systemctl --quiet is-active lodged lodge-gate lodge-monitor
ok "templates" put_templates
ends install
