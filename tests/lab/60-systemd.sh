#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 900
# quickstart.sh on a Debian machine with systemd: the units, libvirtd by its socket, containers, a virtual machine and
# jobs that outlive them, an upgrade, reboots, and the way back. The first run makes the machine's tree, which needs the network.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$here/systemd_tree.sh"
. "$here/systemd_node.sh"
. "$here/systemd_ask.sh"
. "$top/systemd/setup/packages.sh"
n=sd1
units="lodged lodge-gate lodge-monitor"

# ---- what is looked at ----

main_pid() { node systemctl show -P MainPID "$1"; }
all_active() { node systemctl --quiet is-active $units; }
# A guest's run record names its first process and when it started: the same record, the same run.
guest_run() { node cat "/run/lodge/guests/$1" | sha256sum; node test -d "/proc/$(guest_pid "$1")"; }
guest_pid() { node lxc-info -P /run/lodge/ct -n "$1" -pH; }
machine() { node pgrep -f -- '-name guest=lodge-200'; } # pid
keeps_machine() { # keeps_machine COMMAND…: the command leaves the virtual machine alone
	local before
	before=$(machine) || { echo "there is no machine"; return 1; }
	"$@" || return
	is "$before" "$(machine)" && wait_for 10 libvirtd_knows_it
}
machine_is_outside() { node cat "/proc/$(machine)/cgroup" | tee /dev/stderr | not grep -E '(lodge|libvirt).*\.service'; }
libvirtd_comes_back() {
	local old
	old=$(main_pid libvirtd)
	node kill -9 "$old" && wait_for 10 is_back libvirtd "$old"
}
keeps_guest() { # keeps_guest VMID COMMAND…: the command leaves that guest's run alone
	local id=$1 before after
	shift
	before=$(guest_run "$id")
	"$@" || return
	after=$(guest_run "$id") && is "$before" "$after" && inside "$id" true
}
# Every process of guests and jobs, with its cgroups: none may be in a unit of ours.
guest_processes_are_outside() {
	local id monitor
	for id in 101 102 103; do
		monitor=$(node awk '/^PPid/ { print $2 }' "/proc/$(guest_pid $id)/status")
		for pid in "$monitor" "$(guest_pid $id)"; do
			node grep -H . "/proc/$pid/cgroup" || return
			not node grep -q 'lodge.*\.service' "/proc/$pid/cgroup" || return
		done
	done
}
# What systemd grants the core is not the guests': they get what a process of the host gets.
guests_are_ordinary() {
	is 0 "$(node cat "/proc/$(guest_pid 101)/oom_score_adj")" &&
		is 1024 "$(node awk '/^Max open files/ { print $4 }' "/proc/$(guest_pid 101)/limits")"
}
comes_back() { # comes_back UNIT: after SIGKILL
	local old
	old=$(main_pid "$1")
	node kill -9 "$old"
	wait_for 5 is_back "$1" "$old" && wait_for 10 https GET /version
}
hang_is_noticed() { # by the unit's watchdog, 30 s
	local old
	old=$(main_pid lodged)
	node kill -STOP "$old"
	wait_for 45 is_back lodged "$old" && wait_for 10 https GET /version
}
is_back() {
	local now
	now=$(main_pid "$1")
	node systemctl --quiet is-active "$1" && [ "$now" != 0 ] && [ "$now" != "$2" ]
}
job_pid() { # of the job that shuts guest 102 down; fails if there is none
	local upid
	upid=$(node sh -c 'ls /run/lodge/jobs | grep :vzshutdown:102:') || return
	echo $((16#$(cut -d: -f3 <<<"$upid")))
}
keeps_job() { # keeps_job COMMAND…
	local before
	before=$(job_pid) || { echo "there is no job"; return 1; }
	"$@" || return
	node test -d "/proc/$before" && is "$before" "$(job_pid)"
}
restart_core() { node systemctl restart lodged && wait_for 10 https GET /version; }
stop_and_start() { # the job and the guest are looked at while nothing of Lodge runs
	node systemctl stop lodge.target $units || return
	not node systemctl --quiet is-active lodged || return
	"$@" || return
	node systemctl start lodge.target && wait_for 10 https GET /version
}
nothing_of_it_is_gone() { inside 101 true && job_pid && node test -d "/proc/$(job_pid)"; }
has_network() {
	node ip -o address show dev vmbr0 | grep -q ' inet ' && node nft list tables | grep -q lodge &&
		node pgrep -f 'dnsmasq.*lodge' >/dev/null
}
has_storage() {
	https GET "/nodes/$n/storage/local/content?content=vztmpl" | grep -q 'local:vztmpl/busybox.tar.gz'
}
reaches_out() { inside "$1" ping -c 1 -W 2 198.51.100.1; }
guest_start() { # when its first process started
	node awk '{ print $22 }' "/proc/$(guest_pid "$1")/stat"
}
starts_in_order() {
	local first second
	first=$(guest_start 101) second=$(guest_start 103)
	[ "$first" -lt "$second" ] || { echo "101 at $first, 103 at $second"; return 1; }
}
after_boot() { # after_boot HOW
	ok "$1: systemd is content" systemd_boot $n
	ok "$1: the node answers" wait_for 20 log_in
	ok "$1: bridge, NAT and DHCP are back" wait_for 20 has_network
	ok "$1: storage is back" has_storage
	ok "$1: guests with onboot are started" wait_for 30 state_is 103 running
	ok "$1: in the order of their ids" starts_in_order
	ok "$1: the other one is not" state_is 102 stopped
	ok "$1: the virtual machine with onboot, too" wait_for 30 libvirtd_knows_it
	ok "$1: a guest has its address by DHCP" wait_for 20 has_address 101
	ok "$1: and reaches what lies behind the node" reaches_out 101
	ok "$1: the bridge of the administrator's" wait_for 10 has_bridge
}

# ---- templates ----

# One whose first process wants no end: shutting it down is a job that lasts.
template_stubborn() {
	local folder=$LAB/stubborn
	mkdir -p "$folder" && tar -C "$folder" -xzf "$1" && rm -f "$folder/sbin/init" &&
		printf '#!/bin/sh\ntrap "" PWR TERM INT\nwhile :; do sleep 1000; done\n' >"$folder/sbin/init" &&
		chmod 755 "$folder/sbin/init" && tar -C "$folder" --numeric-owner -czf "$LAB/stubborn.tar.gz" .
}

# ---- the machine ----

busybox=$(template_busybox) || skip_all "no busybox template"
cp "$busybox" "$LAB/busybox.tar.gz"
iso=$("$top/storage/make-iso.sh" 2>"$LAB/iso.err") || skip_all "no ISO: $(tail -n 1 "$LAB/iso.err")"
# shellcheck disable=SC2086,SC2154
archive=$(tree_archive systemd bookworm "systemd-sysv dbus udev kmod procps python3-minimal $(tree_packages $packages_build \
	$packages_run | tr '\n' ' ')" "$systemd_hook") || skip_all "no Debian tree: $archive"
lab_residue_before
must "a machine" systemd_make $n "$archive"
must "systemd is content" systemd_boot $n
must "the source tree is on it" put_source
ok "templates are on it" template_stubborn "$LAB/busybox.tar.gz"
put_templates busybox.tar.gz stubborn.tar.gz
ok "an ISO as quickstart.sh makes it" put_iso

# ---- installation ----

must "quickstart.sh installs" quickstart /root/lodge/quickstart.sh
ok "no package was missing" not grep -q 'installing .* packages' "$LAB/quickstart.log"
ok "the units are active" all_active
ok "systemd finds nothing wrong in them" node systemd-analyze --man=no verify lodge.target
ok "quickstart.sh status" node /root/lodge/quickstart.sh status
must "log in over HTTPS" log_in
ok "libvirtd listens, by its own socket" libvirtd_by_socket
ok "no network that nobody asked for" no_other_network
ok "it was looked for KVM" sh -c "echo '$(node lodge status)' | grep 'KVM: not usable: /dev/kvm is not there'"
ok "the network is there" wait_for 10 has_network
for id in 103 101; do
	ok "container $id is made" create $id busybox.tar.gz 1
done
ok "container 102 is made" create 102 stubborn.tar.gz 0
for id in 101 102 103; do
	must "container $id starts" start $id
done
ok "a guest has its address by DHCP" wait_for 20 has_address 101
ok "and reaches what lies behind the node" reaches_out 101
must "a virtual machine is made" make_machine
must "and starts" task POST "/nodes/$n/qemu/200/status/start"
ok "it boots, and has its address by DHCP" machine_boots

# ---- the node's own network ----

has_bridge() { node ip -o -4 address show dev vmbr7 | grep -q 10.207.0.1/24; }
ok "a bridge of the administrator's" node sh -c 'lodge network set vmbr7 --cidr 10.207.0.1/24 && lodge network apply --yes'
ok "it is there" has_bridge
bridge_without_core() { # as a boot whose agent does not start
	node systemctl stop lodge.target lodged && node ip link delete vmbr7 && node rm /run/lodge/network/applied &&
		node systemctl restart lodge-network && has_bridge
}
ok "a boot sets it up without the core" bridge_without_core
node systemctl start lodge.target
ok "the units are active" wait_for 20 all_active

# ---- daemons come and go ----

ok "guests' processes are outside of our units" guest_processes_are_outside
ok "guests have no share in what the core is granted" guests_are_ordinary
for unit in $units; do
	ok "SIGKILL of $unit: it is back, guests untouched" keeps_machine keeps_guest 101 comes_back $unit
done
ok "the monitor hears libvirtd" keeps_machine monitor_hears_libvirtd
ok "SIGKILL of libvirtd: it is back, the machine untouched" keeps_machine libvirtd_comes_back
ok "the monitor hears it again" wait_for 10 monitor_hears_libvirtd
ok "its process is outside of our units, too" machine_is_outside
https POST "/nodes/$n/lxc/102/status/shutdown" -d timeout=600 >"$LAB/out"
ok "a long job runs" wait_for 10 job_pid
has_scope() { node grep -q 'lodge-job-.*\.scope' "/proc/$(job_pid)/cgroup"; }
ok "it is in a scope of its own" wait_for 10 has_scope
ok "systemctl restart lodged leaves it alone" keeps_job restart_core
ok "and the guests" keeps_guest 101 restart_core
ok "SIGKILL of lodged leaves it alone" keeps_job comes_back lodged
if [ -n "${LODGE_TEST_FULL:-}" ]; then
	ok "a lodged that hangs is replaced by systemd" keeps_job keeps_guest 101 hang_is_noticed
fi
ok "systemctl stop leaves guests and job alone" keeps_machine keeps_job keeps_guest 101 stop_and_start nothing_of_it_is_gone
before=$(node stat -c %i /usr/libexec/lodge/lodged)
ok "quickstart.sh again: guests and job untouched" keeps_machine keeps_job keeps_guest 101 quickstart /root/lodge/quickstart.sh
ok "it placed new programs" not is "$before" "$(node stat -c %i /usr/libexec/lodge/lodged)"
ok "the units are active" all_active
ok "the job is known as running" sh -c "echo '$(https GET "/nodes/$n/tasks?source=active")' | grep -q vzshutdown"
upid=$(https GET "/nodes/$n/tasks?source=active" | grep -o 'UPID:[^"]*:vzshutdown:[^"]*')
ok "it is stopped" https DELETE "/nodes/$n/tasks/$upid"
ok "and ends" wait_for 15 upid_ended "$upid"
ok "systemd is content" systemd_is_up $n
ok "the stubborn guest is stopped" task POST "/nodes/$n/lxc/102/status/stop"

# ---- KVM ----

kvm_is_hidden() { node nsenter -t "$(main_pid libvirtd)" -m test -f /dev/kvm && node test -c /dev/kvm; }
machine_starts_quickly() { # where it sees the device, libvirtd probes every emulator again for more than a minute
	local start=$SECONDS
	task POST "/nodes/$n/qemu/200/status/stop" && task POST "/nodes/$n/qemu/200/status/start" &&
		[ $((SECONDS - start)) -lt 20 ] || { echo "took $((SECONDS - start)) s"; return 1; }
}
# the host's own, if there is one: libvirtd is slow only with a real device
if [ -c /dev/kvm ]; then kvm="10 232"; else kvm="1 3"; fi
# shellcheck disable=SC2086
node mknod -m 666 /dev/kvm c $kvm
node sh -c 'echo LODGE_OWNS_LIBVIRT=1 >>/etc/lodge/lodge.conf' # as if there had been none before
ok "with a /dev/kvm: quickstart.sh again, machine untouched" keeps_machine quickstart /root/lodge/quickstart.sh
if node lodge status | grep -q 'KVM: usable'; then
	skip "a KVM that does not work is hidden from libvirtd" "it works here"
	ok "it is not hidden" not node test -e /etc/systemd/system/libvirtd.service.d
else
	ok "as it does not work, it is hidden from libvirtd" kvm_is_hidden
	ok "so that a machine starts quickly" machine_starts_quickly
	# before it has, it would not hear libvirt-guests, which the reboot waits for
	ok "it boots" machine_boots
fi

# ---- the machine goes down ----

ok "guests are shut down with the node, and by nobody else" not node systemctl stop lodge-guests
ok "the one that does not listen has five seconds" node lodge config 102 --startup down=5
reboot_by_api() {
	https POST "/nodes/$n/status" -d command=reboot || return
	wait_for 90 systemd_is_down $n && lab_kill $n
}
outcomes() { # outcomes TYPE: of the tasks of that type, the newest first
	https GET "/nodes/$n/tasks?typefilter=$1" | "$python" -c 'import json, sys
for t in json.load(sys.stdin)["data"]: print(t["id"], t.get("status", "running"))'
}
guests_were_shut_down() { # all of them, by one job
	is "$(printf '%s\n' '101 OK' '103 OK')" "$(outcomes vzshutdown | head -n 2 | sort)" && is "200 OK" "$(outcomes qmshutdown | head -n 1)" &&
		is " OK" "$(outcomes stopall | head -n 1)" && return
	node sh -c 'for f in $(find /var/lib/lodge/tasks -name "*:stopall:*" -o -name "*shutdown:*"); do echo "-- $f"; cat "$f"; done'
	node journalctl -b -1 -n 60 --no-pager
	return 1
}
ok "no such command" not https POST "/nodes/$n/status" -d command=explode
ok "the node is rebooted through the API" reboot_by_api
after_boot "reboot"
ok "its guests had been shut down by then" guests_were_shut_down
lab_kill $n
after_boot "power cut"

# ---- the way back ----

ok "uninstalling is refused without a word on the administrator's bridge" not quickstart /root/lodge/quickstart.sh uninstall
ok "nothing was changed" all_active
ok "uninstall, with the network left, guests untouched" keeps_machine keeps_guest 101 quickstart /root/lodge/quickstart.sh uninstall --keep-network
ok "one service is left" is lodge-network.service "$(node systemctl list-unit-files 'lodge*' --no-legend | cut -d' ' -f1)"
left_boots() { # what a boot would do
	[ "$(node systemctl show -P WantedBy lodge-network)" = multi-user.target ] || return
	node ip link delete vmbr7 && node rm -r /run/lodge/network && node systemctl restart lodge-network && has_bridge
}
ok "it sets up the bridge" left_boots
ok "uninstall, with the network dropped" keeps_machine keeps_guest 101 quickstart /root/lodge/quickstart.sh uninstall --drop-network
ok "nothing is left in systemd's folders" not node sh -c 'find /etc/systemd /usr/lib/systemd -name "lodge*" | grep .'
ok "no unit is left" sh -c "[ -z \"$(node systemctl list-unit-files 'lodge*' --no-legend)\" ]"
ok "no program is left" not node sh -c 'ls -d /usr/libexec/lodge /usr/bin/lodge'
ok "libvirtd is as it was" not node test -e /etc/systemd/system/libvirtd.service.d
ok "the store and the volumes are" node sh -c 'ls /var/lib/lodge/db /var/lib/lodge/local/images/101'
ok "systemd is content" systemd_is_up $n
lab_kill $n
ok "the host is as before" lab_residue_after
