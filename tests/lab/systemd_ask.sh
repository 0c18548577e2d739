# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of one installed machine, node $n, ask of it: commands there, calls over HTTPS from the switch's
# network. Sourced after lib.sh.
# shellcheck disable=SC2154
ticket='' csrf=''

must() { # as ok; what follows makes no sense without it
	local before=$failed
	ok "$@"
	[ "$failed" = "$before" ] || exit 1
}

node() { lab_in $n "$@"; }
quickstart() {
	node env LODGE_SKIP_TEMPLATE=1 LODGE_ADMIN_PASSWORD=$admin_password "$@" >"$LAB/quickstart.log" 2>&1 ||
		{ cat "$LAB/quickstart.log"; return 1; }
}
https() { # https METHOD PATH [CURL ARGUMENTS]: with the administrator's ticket
	local method=$1 path=$2
	shift 2
	lab_net curl -ksS --fail-with-body --max-time 20 -X "$method" -b "PVEAuthCookie=$ticket" \
		-H "CSRFPreventionToken: $csrf" "$@" "https://$(lab_address $n):8006/api2/json$path"
}
log_in() {
	local answer
	answer=$(lab_net curl -ksS --fail-with-body --max-time 20 -d username=admin@pve \
		-d "password=$admin_password" "https://$(lab_address $n):8006/api2/json/access/ticket") ||
		{ echo "$answer"; return 1; }
	ticket=$("$python" -c 'import json, sys; print(json.load(sys.stdin)["data"]["ticket"])' <<<"$answer")
	csrf=$("$python" -c 'import json, sys; print(json.load(sys.stdin)["data"]["CSRFPreventionToken"])' <<<"$answer")
}
state_is() { [ "$(https GET "/nodes/$n/lxc/$1/status/current" | field status)" = "$2" ]; }
field() { # field NAME: of the object in the answer on stdin
	"$python" -c 'import json, sys; print(json.load(sys.stdin)["data"].get(sys.argv[1], ""))' "$1"
}
upid_ended() { [ "$(https GET "/nodes/$n/tasks/$1/status" | field status)" = stopped ]; }
task() { # task METHOD PATH [CURL ARGUMENTS]: asks, waits, fails if the task failed
	local answer upid result
	answer=$(https "$@") || { echo "$answer"; return 1; }
	upid=$("$python" -c 'import json, sys; print(json.load(sys.stdin)["data"])' <<<"$answer")
	wait_for 60 upid_ended "$upid"
	result=$(https GET "/nodes/$n/tasks/$upid/status" | field exitstatus)
	is OK "$result" || { https GET "/nodes/$n/tasks/$upid/log"; return 1; }
}
create() { # create VMID TEMPLATE ONBOOT
	task POST "/nodes/$n/lxc" -d "vmid=$1" -d "ostemplate=local:vztmpl/$2" -d rootfs=local:0.125 -d memory=64 \
		-d swap=0 -d "hostname=ct$1" -d net0=name=eth0,bridge=vmbr0,ip=dhcp -d "onboot=$3"
}
start() { task POST "/nodes/$n/lxc/$1/status/start" && wait_for 10 state_is "$1" running; }
inside() { # inside VMID COMMAND…
	local id=$1
	shift
	node timeout 20 lxc-attach -P /run/lodge/ct -n "$id" -- "$@"
}
has_address() { inside "$1" ip -4 -o address show dev eth0 | grep -q ' inet '; }
put_templates() { # put_templates FILE…: from $LAB
	node mkdir -p /var/lib/lodge/local/template/cache &&
		node sh -c 'cd /lab && cp "$@" /var/lib/lodge/local/template/cache/' sh "$@"
}
put_source() { # as somebody has it who has just cloned it
	tar -C "$top" --exclude=./build --exclude=./.git -cf "$LAB/source.tar" . && node mkdir -p /root/lodge &&
		node tar -C /root/lodge --no-same-owner -xf /lab/source.tar
}

# ---- a virtual machine, 200 ----

put_iso() { # $iso, as quickstart.sh makes it
	cp "$iso" "$here/vm_console.py" "$LAB/" && node install -D -m 644 /lab/lodge.iso /var/cache/lodge/lodge.iso
}
make_machine() {
	task POST "/nodes/$n/qemu" -d vmid=200 -d memory=128 -d kvm=0 -d scsi0=local:0.1 -d serial0=socket -d onboot=1 \
		--data-urlencode ide2=local:iso/lodge.iso,media=cdrom --data-urlencode net0=virtio,bridge=vmbr0 \
		--data-urlencode 'boot=order=ide2'
}
machine_boots() { node python3 /lab/vm_console.py /run/lodge/vm/200.serial0 60 '^lodge-iso address: eth0 10\.' '^lodge-iso ready'; }
libvirtd_by_socket() {
	node systemctl --quiet is-active libvirtd.socket && node systemctl --quiet is-enabled libvirtd.socket &&
		node virsh -q list
}
no_other_network() {
	is "" "$(node virsh -q net-list)" && node virsh -q net-list --all | tee /dev/stderr | not grep -E 'default .* yes '
}
shown_as() { # shown_as QMPSTATUS
	node lodge get "/nodes/$n/qemu/200/status/current" --json | grep "\"qmpstatus\": *\"$1\""
}
monitor_hears_libvirtd() { # in its unit's sandbox
	node virsh -q suspend lodge-200 && wait_for 2 shown_as paused && node virsh -q resume lodge-200 && wait_for 2 shown_as running
}
libvirtd_knows_it() { node virsh -q list | grep 'lodge-200 *running'; }
