#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# quickstart.sh for real, on a node of the lab without systemd: install, with libvirtd under the supervisor; upgrade
# with a container, a virtual machine and a job running; stop, uninstall, purge. The node sees a copy of this tree in
# its place, so that the build that is there is used.
# limit: 300
. "$(dirname "$(readlink -f "$0")")/lib.sh"
[ -x "$build/agent/lodged" ] || skip_all "no build in $build"
for tool in libvirtd virtlogd virsh qemu-system-x86_64; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
"$top/storage/make-iso.sh" >"$LAB/iso" 2>"$LAB/iso.err" || skip_all "no ISO: $(tail -n 1 "$LAB/iso.err")"
cp "$here/vm_console.py" "$LAB/"
lab_residue_before
mkdir "$LAB/src"
tar -C "$top" --exclude=./build --exclude=./.git -cf - . | tar -C "$LAB/src" -xf - || exit 1
mkdir "$LAB/src/build" && cp -a "$build" "$LAB/src/build/release" || exit 1
ok "a node" lab_start q1
lab_in q1 sh -c 'mkdir -p "$1" && mount --bind /lab/src "$1"' sh "$top"

quickstart() { # quickstart [NAME=VALUE…] [-- ARGUMENTS]
	local settings=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do settings+=("$1") && shift; done
	[ $# = 0 ] || shift
	lab_in q1 env "${settings[@]}" "$top/quickstart.sh" "$@" </dev/null
}
in_node() { lab_in q1 sh -c "$*"; }
files_of_node() { # what an installation could have put there
	in_node 'find /etc /usr/bin /usr/sbin /usr/libexec /usr/lib/systemd /usr/lib/sysusers.d /usr/share/man \
		/usr/share/lodge -xdev 2>/dev/null' | grep -v -e '^/etc/\.pwd\.lock$' -e '^/etc/libvirt/secrets' -e '^/etc/[a-z]*-$' | LC_ALL=C sort
}
login() { # login PASSWORD: over HTTPS, seen from the switch
	lab_net curl -ksS --max-time 10 -d username=admin@pve --data-urlencode "password=$1" \
		"https://$(lab_address q1):8006/api2/json/access/ticket" | tee "$LAB/ticket" | grep -q PVE:admin@pve
}
init_of() { lab_in q1 lxc-info -P /run/lodge/ct -n "$1" -pH; }
create() { # create ID OPTIONS…
	lab_in q1 lodge create "$1" --ostemplate local:vztmpl/busybox_amd64.tar.gz --hostname "ct$1" --memory 128 \
		--rootfs local:1 --password choose-one --start 1 "${@:2}"
}
is_running() { lab_in q1 lodge ls | grep -q "^$1 .* running "; }
daemons() { lab_in q1 sh -c 'cd /run/lodge/supervise && cat libvirtd lodged lodge-gate lodge-monitor' | cut -d' ' -f1; }
machine() { lab_in q1 pgrep -f -- '-name guest=lodge-200'; }
daemon() { lab_in q1 cut -d' ' -f1 "/run/lodge/supervise/$1"; } # pid

files_of_node >"$LAB/files.before"
refuses() { # refuses TEXT SETTING
	not quickstart "$2" >"$LAB/refusal" 2>&1 && grep "$1" "$LAB/refusal" &&
		files_of_node | diff "$LAB/files.before" - && in_node '! test -e /var/lib/lodge/db'
}
ok "LODGE_PORT out of range is refused, nothing is changed" refuses "LODGE_PORT='70000'" LODGE_PORT=70000
ok "so is a bridge with an impossible name" refuses "LODGE_BRIDGE=" LODGE_BRIDGE="a b"

# ---- install ----

installs() { quickstart >"$LAB/first" 2>"$LAB/first.err" || { cat "$LAB/first" "$LAB/first.err"; return 1; }; }
ok "quickstart.sh" installs
password=$(sed -n 's/^  Password  \([^ ]*\) .*shown only now.*/\1/p' "$LAB/first")
ok "it prints the URL" grep "URL *https://$(lab_address q1):8006" "$LAB/first"
ok "a password of 20 characters" is 20 "${#password}"
ok "the bridge" grep "Bridge *vmbr0.*NAT" "$LAB/first"
ok "the commands for a first container" grep "lodge create 100 --ostemplate local:vztmpl/" "$LAB/first"
ok "the password works over HTTPS" login "$password"
ok "and only that" not login "x$password"
is_administrator() {
	lab_in q1 lodge get /access/acl | tr -d ' \n' | grep -o '{[^}]*}' | grep '"ugid":"admin@pve"' |
		grep '"roleid":"Administrator"' | grep '"path":"/"'
}
ok "admin@pve is Administrator on /" is_administrator
ok "status" quickstart -- status
ok "the gate is not root" in_node '! ps -C lodge-gate -o user= | grep -qx root'
in_node 'ls /var/lib/lodge/local/template/cache/busybox_*.tar.gz' >/dev/null 2>&1 ||
	lab_in q1 /usr/libexec/lodge/lodge-make-template -c /var/lib/lodge/local/template/cache busybox >/dev/null
in_node 'cd /var/lib/lodge/local/template/cache && [ -e busybox_amd64.tar.gz ] || mv busybox_* busybox_amd64.tar.gz'
ok "KVM was looked for" in_node 'lodge status | grep -q "KVM: not usable: /dev/kvm is not there"'
ok "the commands for a first machine say so" grep -A 1 "lodge create 200.*--kvm 0" "$LAB/first"
ok "its ISO is there" in_node 'test -s /var/lib/lodge/local/template/iso/lodge.iso'
ok "libvirtd runs, by the supervisor" in_node '/usr/libexec/lodge/lodge-supervise status | grep "^libvirtd  *running (pid"'
ok "its socket is not everybody's" is "root:libvirt 770" "$(in_node 'stat -c "%U:%G %a" /run/libvirt/libvirt-sock')"
ok "a network that nobody asked for is not started" in_node '! ip link show virbr0'
ok "a first container" create 100 --net0 name=eth0,bridge=vmbr0,ip=dhcp
ok "a second one" create 101
wait_for 10 is_running 101
# as quickstart.sh prints it
first_machine() {
	sed -n '/^ *lodge create 200/,/--start 1$/p' "$LAB/first" >"$LAB/machine.sh" && in_node '. /lab/machine.sh'
}
ok "a first virtual machine, by the printed command" first_machine
ok "it boots" lab_in q1 python3 /lab/vm_console.py /run/lodge/vm/200.serial0 60 '^lodge-iso ready'
ok "it is not root's" in_node '! ps -o user= -C qemu-system-x86_64 | grep -qx root'

libvirtd_is_back() {
	local old vm
	old=$(daemon libvirtd) vm=$(machine)
	in_node "kill -KILL $old"
	wait_for 5 libvirtd_answers "$old" && is "$vm" "$(machine)" && in_node 'virsh -q list | grep "lodge-200 *running"'
}
libvirtd_answers() { not is "$1" "$(daemon libvirtd)" && in_node 'virsh -q list'; }
ok "libvirtd killed: it is back, the machine unharmed" libvirtd_is_back
ok "and can be ended by it" in_node 'lodge post /nodes/q1/qemu/200/status/reset'

# ---- upgrade, with guests and a job that waits for one of them ----

first=$(init_of 100) second=$(init_of 101) before=$(daemons) vm=$(machine) logger=$(daemon virtlogd)
in_node "kill -STOP $second"
lab_in q1 lodge shutdown 101 --timeout 120 --no-wait >"$LAB/upid" 2>&1
upid=$(grep -o 'UPID:[^ ]*' "$LAB/upid")
task() { lab_in q1 lodge get "/nodes/q1/tasks/$upid/status" | tr -d ' ' | grep -q "$1"; }
ok "a job runs" wait_for 10 task '"status":"running"'
upgrades() { quickstart LODGE_ADMIN_PASSWORD=another-one >"$LAB/second" 2>&1 || { cat "$LAB/second"; return 1; }; }
ok "quickstart.sh again" upgrades
ok "it made no new password" grep 'Password *unchanged' "$LAB/second"
ok "the old one still works" login "$password"
replaced() { local p; for p in $before; do in_node "! test -e /proc/$p" || return; done; }
ok "the daemons are new" replaced
ok "the guest is the same" is "$first" "$(init_of 100)"
ok "so is the machine" is "$vm" "$(machine)"
ok "and who keeps its log" is "$logger" "$(daemon virtlogd)"
ok "libvirtd knows it" wait_for 10 in_node 'virsh -q list | grep "lodge-200 *running"'
ok "the job still runs" task '"status":"running"'
in_node "kill -CONT $second"
ok "and ends well" wait_for 20 task '"exitstatus":"OK"'
ok "its guest is shut down" wait_for 10 not is_running 101

ok "the node's name stays" not quickstart LODGE_NODE=other
same_name() { in_node 'grep -x LODGE_NODE=q1 /etc/lodge/lodge.conf'; }
ok "in its settings too" same_name
in_node 'ip link add br9 type bridge'
ok "another bridge is refused while guests need this one" not quickstart LODGE_BRIDGE=br9
ok "the guest keeps it" in_node 'ls /sys/class/net/vmbr0/brif/veth100i0'
ok "what was refused is not remembered" not in_node 'grep LODGE_BRIDGE /etc/lodge/lodge.conf'

# ---- stop, uninstall, back again ----

ok "a bridge of the administrator's" in_node 'lodge network set vmbr7 --cidr 10.7.0.1/24 && lodge network apply --yes'
ok "stop" quickstart -- stop
stopped() { local code=0; quickstart -- status >/dev/null || code=$?; is 3 $code; }
ok "status says so" stopped
ok "the guest goes on" is "$first" "$(init_of 100)"
ok "the machine, too" is "$vm" "$(machine)"
ok "libvirtd has ended" in_node '! pgrep -x libvirtd'
settings() { files_of_node | diff "$LAB/files.before" - | grep '^[<>]' | diff - <(printf '> %s\n' "$@"); }
settings_of_network="/etc/lodge/network /etc/lodge/network/.lock /etc/lodge/network/interfaces"
has_vmbr7() { in_node 'ip -o -4 address show dev vmbr7' | grep -q "10.7.0.1/24"; }
refuses_network() { # refuses_network OPTIONS
	not quickstart -- uninstall "$@" >"$LAB/refusal" 2>&1 && grep "Lodge sets up .*vmbr7 (10.7.0.1/24)$" "$LAB/refusal" &&
		grep -e --keep-network "$LAB/refusal" && grep -e --drop-network "$LAB/refusal"
}
program_files=$(in_node 'find /usr/libexec/lodge /etc/lodge | sort')
ok "uninstalling is refused while a bridge of the administrator's is set up by Lodge" refuses_network
ok "with --yes, too" refuses_network --purge --yes
ok "nothing was changed" is "$program_files" "$(in_node 'find /usr/libexec/lodge /etc/lodge | sort')"
ok "uninstall, with the network left" quickstart -- uninstall --keep-network
kept() {
	# shellcheck disable=SC2086
	settings /etc/lodge /etc/lodge/libvirtd.conf /etc/lodge/lodge.conf $settings_of_network \
		/usr/lib/systemd/system/lodge-network.service /usr/libexec/lodge /usr/libexec/lodge/lodge-task /usr/share/lodge /usr/share/lodge/manifest
}
ok "what sets it up is left, with the settings" kept
left_boots() { in_node 'ip link delete vmbr7 && rm -r /run/lodge/network && /usr/libexec/lodge/lodge-task helper net-boot' && has_vmbr7; }
ok "at boot that works" left_boots
ok "uninstall, with the network dropped" quickstart -- uninstall --drop-network
ok "the bridge is there until the next boot" has_vmbr7
in_node 'ip link delete vmbr7 && rm -r /etc/lodge/network'
left() { settings /etc/lodge /etc/lodge/libvirtd.conf /etc/lodge/lodge.conf; }
ok "settings are left, and nothing else" left
ok "the user is gone" in_node '! id lodge'
ok "the network is gone" in_node '! test -e /sys/class/net/vmbr0 && ! pgrep -x dnsmasq && ! nft list table inet lodge'
ok "the guest goes on" in_node "test -e /proc/$first"
ok "the machine, too" is "$vm" "$(machine)"
ok "quickstart.sh after that" quickstart
ok "the guest is known" wait_for 10 is_running 100
ok "the password is too" login "$password"
ok "so is the machine" wait_for 10 is_running 200
ok "it is the same" is "$vm" "$(machine)"

# ---- another bridge, purge ----

lab_in q1 lodge stop 100 >/dev/null
lab_in q1 lodge stop 200 >/dev/null
uses_none() { quickstart "$@" && in_node '! test -e /sys/class/net/vmbr0 && ! nft list table inet lodge && ! pgrep -x dnsmasq'; }
ok "none at all, when it is told so" uses_none LODGE_BRIDGE=none
ok "an upgrade keeps to that" uses_none
uses_br9() { quickstart LODGE_BRIDGE=br9 && in_node 'grep -x mode=host /var/lib/lodge/network.conf && ! test -e /sys/class/net/vmbr0'; }
ok "the other bridge is used, now that no guest needs the first" uses_br9
ok "a guest on it" lab_in q1 lodge start 101
lab_in q1 lodge config 200 --net0 virtio,bridge=br9 >/dev/null
ok "a machine, too" lab_in q1 lodge start 200
ok "--purge alone asks, and nobody answers" not quickstart -- uninstall --purge
ok "nothing is lost" wait_for 10 is_running 101
in_node 'mkdir /var/lib/lodge/local/other && mount -t tmpfs none /var/lib/lodge/local/other && touch /var/lib/lodge/local/other/file'
# as one has his images who keeps them elsewhere on the same disk
in_node 'mkdir -p /var/lib/theirs && touch /var/lib/theirs/mine.iso && mount --bind /var/lib/theirs /var/lib/lodge/local/template/iso'
ok "somebody's folder on its file system" in_node '[ "$(stat -c %d /var/lib/theirs)" = "$(stat -c %d /var/lib/lodge/local/template/iso)" ]'
purges_in_part() {
	not quickstart -- uninstall --purge --yes >"$LAB/purge" 2>&1 &&
		grep "this stays: /var/lib/lodge/local/other: something is mounted" "$LAB/purge" &&
		grep "this stays: /var/lib/lodge/local/template/iso: something is mounted" "$LAB/purge"
}
ok "uninstall --purge --yes says what is mounted there, and fails" purges_in_part
ok "that is left" in_node 'test -e /var/lib/lodge/local/other/file && test -e /var/lib/theirs/mine.iso'
in_node 'umount /var/lib/lodge/local/template/iso'
only_folders() { in_node '! find /var/lib/lodge -xdev ! -type d | grep . && ! test -e /run/lodge && ! test -e /var/log/lodge && ! test -e /etc/lodge'; }
ok "and nothing else" only_folders
in_node 'umount /var/lib/lodge/local/other'
ok "uninstall --purge --yes once it is unmounted" quickstart -- uninstall --purge --yes
ok "no state is left" in_node 'test -z "$(ls -A /var/lib/lodge 2>/dev/null)" && ! test -e /run/lodge && ! test -e /var/log/lodge'
no_file() { files_of_node | diff "$LAB/files.before" -; }
ok "no file is left" no_file
no_guest() { in_node '! pgrep -f "[l]xc monitor" && ! losetup -nO BACK-FILE | grep "^/var/lib/lodge/.*vm-10" && ! ls /sys/class/net | grep veth'; }
ok "no guest is left" wait_for 10 no_guest
ok "no machine, and nothing of libvirt" in_node '! pgrep qemu-system && ! pgrep -x libvirtd && ! pgrep -x virtlogd'
ok "the bridge of the host stays" in_node 'test -e /sys/class/net/br9'
lab_kill q1
ok "nothing is left on the host" lab_residue_after
