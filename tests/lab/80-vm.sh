#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A virtual machine on one node, emulated, with the node's own libvirtd: created, booted from an ISO to its
# ready line, shut down, stopped, destroyed; and what a libvirtd does that is stopped or away.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

for tool in libvirtd virtlogd virsh qemu-system-x86_64; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
product_make
[ -x "$LAB/product/usr/libexec/lodge/lodge-task-vm" ] || skip_all "built without libvirt"
iso=$("$top/storage/make-iso.sh" 2>"$LAB/iso.err") || skip_all "no ISO: $(tail -1 "$LAB/iso.err")"
cp "$iso" "$LAB/lodge.iso"
cp "$here"/vm_*.sh "$here/vm_console.py" "$LAB/"
mkdir "$LAB/golden"
cp "$top"/tests/unit/vm/golden/*.xml "$LAB/golden/"

in_n1() { lab_in n1 "$@"; }
vm=/nodes/n1/qemu/200
status() { in_n1 lodge get $vm/status/current --json | "$python" -c 'import json,sys; print(json.load(sys.stdin)["status"])'; }
status_is() { is "$1" "$(status)"; }
qmp_is() { is "$1" "$(field $vm/status/current qmpstatus)"; }
field() { # field PATH NAME
	in_n1 lodge get "$1" --json | "$python" -c 'import json,sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "$2"
}
qemu_pid() { in_n1 cat /run/libvirt/qemu/lodge-200.pid; }
console() { in_n1 $python /lab/vm_console.py /run/lodge/vm/200.serial0 "$@"; }
fails_with() { # fails_with TEXT COMMAND…
	local text=$1 out
	shift
	out=$("$@" 2>&1) && { echo "did not fail: $out"; return 1; }
	[[ $out == *"$text"* ]] || { echo "$out"; return 1; }
}
within() { # within SECONDS COMMAND…
	local start=$SECONDS limit=$1
	shift
	"$@" || return
	[ $((SECONDS - start)) -le "$limit" ] || { echo "took $((SECONDS - start)) s"; return 1; }
}
volume() { in_n1 ls /var/lib/lodge/local/images/200; }
no_trace() {
	! in_n1 virsh -q list --all | grep -q lodge-200 && ! in_n1 ls /sys/class/net | grep -q tap200 &&
		! in_n1 pgrep -f guest=lodge-200
}

lab_residue_before
ok "a node" lab_start n1
ok "its libvirtd" lab_in n1 bash /lab/vm_libvirt.sh
tap 60 lab_in n1 bash /lab/vm_golden.sh /lab/golden
ok "the product answers on it" product_up n1
ok "lodge upload" in_n1 lodge upload /lab/lodge.iso local:iso

create=(in_n1 lodge create 200 --name first --memory 256 --kvm 0 --ostype l26 --vga serial0
	--serial0 socket --ide2 local:iso/lodge.iso,media=cdrom --net0 virtio,bridge=vmbr0 --tags lab)
ok "a storage that is not there is refused" fails_with "does not exist" "${create[@]}" --scsi0 none-such:1
ok "an image of another guest is refused" fails_with "does not belong" "${create[@]}" --scsi0 local:201/vm-201-disk-0.raw
ok "nothing was made" fails_with "does not exist" in_n1 lodge get $vm/config
ok "create" "${create[@]}" --scsi0 local:0.5 --boot 'order=scsi0;ide2;net0'
ok "its volume is there" is vm-200-disk-0.raw "$(volume)"
ok "its config names it" is local:200/vm-200-disk-0.raw,size=512M "$(field $vm/config scsi0)"
ok "it is not locked" is "" "$(field $vm/config lock)"
ok "it is stopped" wait_for 5 status_is stopped
in_n1 lodge put $vm/config --kvm 1 >/dev/null
ok "without KVM a machine that wants it does not start" fails_with "KVM is not available" in_n1 lodge post $vm/status/start
in_n1 lodge put $vm/config --kvm 0 >/dev/null

ok "start" in_n1 lodge post $vm/status/start
ok "it runs" status_is running
ok "a second start is refused" fails_with "already running" in_n1 lodge post $vm/status/start
ok "it boots: address, disk, medium, ready" console 60 '^lodge-iso address: eth0 10\.' '^lodge-iso disk: sda 1048576' \
	'^lodge-iso medium: made by Lodge' '^lodge-iso ready'
ok "a change waits for the next start" in_n1 lodge post $vm/config --memory 320
ok "the config says so" is 320 "$(field $vm/config memory)"
ok "what runs still has the old value" is 256 "$(in_n1 lodge get $vm/config --current 1 --json |
	"$python" -c 'import json,sys; print(json.load(sys.stdin)["memory"])')"
ok "destroy is refused while it runs" fails_with "is running" in_n1 lodge delete $vm
before=$(qemu_pid)
ok "reset" in_n1 lodge post $vm/status/reset
ok "it is the same process" is "$before" "$(qemu_pid)"
ok "it boots again" console 60 '^lodge-iso ready'
ok "shutdown by its power button" within 20 in_n1 lodge post $vm/status/shutdown --timeout 15
ok "it is stopped" status_is stopped
ok "nothing is left of it" wait_for 5 no_trace

in_n1 lodge put $vm/config --agent 1 >/dev/null
ok "start with an agent's channel" in_n1 lodge post $vm/status/start
if console 60 '^lodge-iso agent' '^lodge-iso ready' >/dev/null; then
	ok "its power button does nothing any more" console 10 -s 'killall acpid && echo un""hooked' '^unhooked'
	ok "shutdown by its agent" within 20 in_n1 lodge post $vm/status/shutdown --timeout 15
else
	skip "shutdown by its agent" "the ISO in the cache has none: remove it to have a new one made"
	in_n1 lodge post $vm/status/stop >/dev/null
fi
ok "it is stopped" status_is stopped
in_n1 lodge put $vm/config --delete agent >/dev/null

ok "start again" in_n1 lodge post $vm/status/start
ok "it has the new memory" is 327680 "$(in_n1 virsh -q dommemstat lodge-200 | awk '$1 == "actual" {print $2}')"
ok "shutdown of a system that does not listen runs out of time" \
	fails_with "did not shut down" in_n1 lodge post $vm/status/shutdown --timeout 1
ok "it still runs" status_is running
in_n1 kill -9 "$(qemu_pid)"
ok "killed from outside: seen within 1 s" wait_for 1 status_is stopped
ok "start after that" in_n1 lodge post $vm/status/start
ok "stop" within 10 in_n1 lodge post $vm/status/stop
ok "it is stopped" status_is stopped
ok "nothing is left of it" wait_for 5 no_trace

daemon=$(in_n1 pgrep -x libvirtd)
in_n1 kill -STOP "$daemon"
ok "libvirtd stopped: a start ends by its deadline, outcome unknown" \
	within 8 fails_with "outcome unknown" in_n1 lodge post $vm/status/start --timeout 5
ok "the state is unknown" status_is unknown
ok "reads answer" within 2 in_n1 lodge get /nodes/n1/qemu
ok "destroy is refused" fails_with "unknown" timeout 90 "$LAB/n1/in" lodge delete $vm
in_n1 kill -CONT "$daemon"
ok "libvirtd goes on: start" in_n1 lodge post $vm/status/start
ok "it runs" status_is running
in_n1 sh -c 'virsh -q dumpxml --inactive lodge-200 >/tmp/left.xml'
in_n1 lodge post $vm/status/stop >/dev/null
ok "what a start left that was given up: paused, never ran" in_n1 virsh -q create --paused /tmp/left.xml
left=$(qemu_pid)
ok "it is shown as what it is" wait_for 2 qmp_is paused
ok "destroy is refused" fails_with "is running" in_n1 lodge delete $vm
ok "a start takes it away and makes its own" in_n1 lodge post $vm/status/start
ok "there is one process" is "$(qemu_pid)" "$(in_n1 pgrep -f guest=lodge-200)"
ok "it is another" not is "$left" "$(qemu_pid)"
daemon=$(in_n1 pgrep -x libvirtd)
in_n1 kill -9 "$daemon"
ok "libvirtd killed: the machine runs on" in_n1 pgrep -f guest=lodge-200
ok "its state is unknown" wait_for 6 status_is unknown
ok "a stop says what is missing" fails_with "libvirtd is not reachable" in_n1 lodge post $vm/status/stop
in_n1 rm -f /run/libvirtd.pid
in_n1 libvirtd -d
ok "libvirtd back: stop" in_n1 lodge post $vm/status/stop

ok "destroy" in_n1 lodge delete $vm
ok "its config is gone" fails_with "does not exist" in_n1 lodge get $vm/config
ok "its volume is gone" not volume
ok "nothing is left of it" wait_for 5 no_trace

# The machine's own system is on its disk: a clone that did not read its base would find nothing to boot.
clone=/nodes/n1/qemu/211
base_of() { in_n1 stat -c '%U %A' "/var/lib/lodge/local/images/210/base-210-disk-0.$1"; }
for format in raw qcow2; do
	ok "$format: create" in_n1 lodge create 210 --name base --memory 256 --kvm 0 --ostype l26 --vga serial0 --serial0 socket \
		--scsi0 "local:0.5,format=$format" --boot order=scsi0
	ok "a system on its disk" in_n1 qemu-img convert -n -f raw -O $format /lab/lodge.iso \
		"/var/lib/lodge/local/images/210/vm-210-disk-0.$format"
	ok "template" in_n1 lodge post /nodes/n1/qemu/210/template
	ok "a linked clone" in_n1 lodge post /nodes/n1/qemu/210/clone --newid 211
	ok "it stands on the base" grep -q "local:210/base-210-disk-0.$format/211/" <(field $clone/config scsi0)
	ok "start" in_n1 lodge post $clone/status/start
	ok "it boots what its base has" in_n1 $python /lab/vm_console.py /run/lodge/vm/211.serial0 60 '^lodge-iso disk: sda' '^lodge-iso ready'
	ok "the base is root's, and nobody writes it" is "root -r--r-----" "$(base_of $format)"
	ok "stop" in_n1 lodge post $clone/status/stop
	ok "it still is" is "root -r--r-----" "$(base_of $format)"
	ok "destroy the clone" in_n1 lodge delete $clone
	ok "destroy the template" in_n1 lodge delete /nodes/n1/qemu/210
done
lab_stop_all
ok "nothing is left on the host" lab_residue_after
