#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is shown of virtual machines while libvirtd is stopped, killed, brought back, or acts behind our back; and
# while the monitor is killed. Never "stopped" for what may run. Two cycles: what the first one leaves must not
# change the second. Machines without a disk: their firmware is enough to run.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

for tool in libvirtd virtlogd virsh qemu-system-x86_64; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
product_make
[ -e "$LAB/product/usr/libexec/lodge/lodge-monitor-libvirt.so" ] || skip_all "built without libvirt"
busybox=$(template_busybox) || skip_all "no busybox template"
cp "$busybox" "$LAB/busybox.tar.gz"
cp "$here"/vm_*.sh "$LAB/"

in_n1() { lab_in n1 "$@"; }
lodge() { in_n1 lodge "$@"; }
field() { # field KIND/VMID NAME
	lodge get "/nodes/n1/$1/status/current" --json |
		"$python" -c 'import json,sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "$2"
}
status_is() { is "$2" "$(field "qemu/$1" status)"; } # status_is VMID STATUS
qmp_is() { is "$2" "$(field "qemu/$1" qmpstatus)"; }
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
qemu_pid() { in_n1 cat "/run/libvirt/qemu/lodge-$1.pid"; }
qemus() { in_n1 pgrep -fc "guest=lodge-$1," || :; }
daemon() { in_n1 pgrep -x libvirtd; }
starts_of() { # how many starts the node was asked for
	lodge get "/nodes/n1/tasks" --vmid "$1" --typefilter qmstart --source all --limit 500 --json |
		"$python" -c 'import json,sys; print(len(json.load(sys.stdin)))'
}
# Everything that was ever shown of a machine between the two calls.
watch_begin() { # watch_begin VMID
	rm -f "$LAB/seen" "$LAB/watch"
	touch "$LAB/watch"
	lab_in n1 bash /lab/vm_watch.sh "$1" /lab/watch /lab/seen &
	watcher=$!
	wait_for 5 test -s "$LAB/seen"
}
watch_end() {
	rm -f "$LAB/watch"
	wait $watcher
	sort -u "$LAB/seen" >"$LAB/shown"
}
never_stopped() { # also: that something was seen at all
	watch_end
	[ -s "$LAB/shown" ] && not grep stopped "$LAB/shown" || { echo "shown: $(cat "$LAB/shown")"; return 1; }
}
# A client of libvirtd that is connected, asks, and is gone: its request waits in libvirtd's socket.
client_begin() {
	in_n1 sh -c 'rm -f /tmp/asks; mkfifo /tmp/asks; sleep 1000 >/tmp/asks & echo $! >/tmp/holder
		virsh -q <>/tmp/asks >/tmp/said 2>&1 & echo $! >/tmp/client; echo "list" >/tmp/asks' &
	wait_for 10 in_n1 sh -c 'ss -xp 2>/dev/null | grep -q "pid=$(cat /tmp/client)" || ls -l /proc/$(cat /tmp/client)/fd | grep -q socket'
	pause 0.5
}
client_asks_and_dies() {
	in_n1 sh -c 'echo "create --paused /tmp/queued.xml" >/tmp/asks'
	pause 0.5
	in_n1 sh -c 'kill -9 $(cat /tmp/client) $(cat /tmp/holder)'
}

lab_residue_before
ok "a node" lab_start n1
ok "its libvirtd" lab_in n1 bash /lab/vm_libvirt.sh
ok "the product answers on it" product_up n1
ok "lodge upload" lodge upload /lab/busybox.tar.gz local:vztmpl
ok "create a container" lodge create 300 --ostemplate local:vztmpl/busybox.tar.gz --rootfs local:0.1 --memory 64
ok "start it" lodge start 300
for id in 200 201; do
	ok "create $id" lodge create $id --memory 32 --kvm 0 --ostype l26
done

cycle() {
	ok "start 200" lodge start 200
	ok "it runs" status_is 200 running
	ok "201 is stopped" status_is 201 stopped
	asked=$(starts_of 201)

	echo "# libvirtd stopped, nothing waits for it"
	libvirtd=$(daemon)
	watch_begin 200
	in_n1 kill -STOP "$libvirtd"
	ok "reads answer" within 2 lodge get /nodes/n1/qemu
	ok "200 is unknown" wait_for 6 status_is 200 unknown
	ok "201 is unknown" status_is 201 unknown
	ok "its figures are not shown" is "" "$(field qemu/200 pid)"
	ok "the container is not touched" is running "$(field lxc/300 status)"
	ok "reads answer" within 2 lodge get /nodes/n1/qemu/200/status/current
	ok "a start of 201 ends by its deadline" within 8 \
		fails_with "outcome unknown" lodge post /nodes/n1/qemu/201/status/start --timeout 5
	ok "201 is unknown" status_is 201 unknown
	in_n1 kill -CONT "$libvirtd"
	ok "libvirtd goes on: 200 runs" wait_for 2 status_is 200 running
	ok "200 was never shown as stopped" never_stopped
	ok "nothing was queued: 201 is stopped" wait_for 3 status_is 201 stopped
	ok "no start was repeated" is $((asked + 1)) "$(starts_of 201)"
	ok "201 has no process" is 0 "$(qemus 201)"

	echo "# libvirtd stopped, a creation waits in its socket"
	in_n1 sh -c 'virsh -q dumpxml --inactive lodge-200 | sed "s/lodge-200/lodge-201/; /<uuid>/d; /uuid/d" >/tmp/queued.xml'
	client_begin
	in_n1 kill -STOP "$libvirtd"
	client_asks_and_dies
	ok "a start ends by its deadline" within 8 \
		fails_with "outcome unknown" lodge post /nodes/n1/qemu/201/status/start --timeout 5
	ok "201 is unknown" status_is 201 unknown
	watch_begin 201
	in_n1 kill -CONT "$libvirtd"
	ok "libvirtd goes on and runs it: paused" wait_for 3 qmp_is 201 paused
	ok "201 was never shown as stopped" never_stopped
	ok "there is one process" is 1 "$(qemus 201)"
	ok "a start takes it away and makes its own" lodge start 201
	ok "it runs" qmp_is 201 running
	ok "there is one process" is 1 "$(qemus 201)"
	ok "stop 201" lodge stop 201
	ok "it is stopped" status_is 201 stopped

	echo "# libvirtd stopped between the machine and its first instruction"
	lab_in n1 bash /lab/vm_stop_between.sh 201 "$libvirtd" &
	stopper=$!
	ok "a start ends by its deadline" within 8 \
		fails_with "outcome unknown" lodge post /nodes/n1/qemu/201/status/start --timeout 4
	ok "after its machine was made" wait $stopper
	ok "201 is unknown" status_is 201 unknown
	ok "it has a record" in_n1 test -e /run/lodge/guests/201
	in_n1 kill -CONT "$libvirtd"
	ok "libvirtd goes on: it never ran" wait_for 3 qmp_is 201 paused
	ok "a start takes it away and makes its own" lodge start 201
	ok "it runs" qmp_is 201 running
	in_n1 virsh -q suspend lodge-201
	ok "one that ran and is paused stays" fails_with "already running" lodge start 201
	ok "stop 201" lodge stop 201

	echo "# a short stop, which the link survives"
	in_n1 kill -STOP "$libvirtd"
	ok "a start ends by its deadline" fails_with "outcome unknown" lodge post /nodes/n1/qemu/201/status/start --timeout 1
	ok "201 is unknown" status_is 201 unknown
	in_n1 kill -CONT "$libvirtd"
	ok "libvirtd goes on: 201 is stopped" wait_for 3 status_is 201 stopped

	echo "# behind our back"
	in_n1 virsh -q suspend lodge-200
	ok "suspended: seen within 1 s" wait_for 1 qmp_is 200 paused
	ok "its status is running" status_is 200 running
	in_n1 virsh -q resume lodge-200
	ok "resumed: seen within 1 s" wait_for 1 qmp_is 200 running
	in_n1 kill -9 "$(qemu_pid 200)"
	ok "its process killed: seen within 1 s" wait_for 1 status_is 200 stopped
	ok "start 200" lodge start 200
	in_n1 virsh -q destroy lodge-200
	ok "destroyed: seen within 1 s" wait_for 1 status_is 200 stopped
	in_n1 virsh -q create /tmp/queued.xml
	ok "started without a job: seen within 1 s" wait_for 1 status_is 201 running
	ok "its process is known" is "$(qemu_pid 201)" "$(field qemu/201 pid)"
	ok "a start is refused" fails_with "already running" lodge start 201
	ok "stop 201" lodge stop 201
	ok "it is stopped" status_is 201 stopped
	ok "start 200" lodge start 200

	echo "# libvirtd killed and brought back"
	pid=$(qemu_pid 200)
	watch_begin 200
	in_n1 kill -9 "$(daemon)"
	ok "200 is unknown" wait_for 6 status_is 200 unknown
	ok "201 is unknown" status_is 201 unknown
	ok "the container is not touched" is running "$(field lxc/300 status)"
	ok "the machine runs on" is 1 "$(qemus 200)"
	in_n1 rm -f /run/libvirtd.pid
	in_n1 libvirtd -d
	ok "libvirtd is back: 200 runs" wait_for 5 status_is 200 running
	ok "201 is stopped" wait_for 3 status_is 201 stopped
	ok "200 was never shown as stopped" never_stopped
	ok "it is the same process" is "$pid" "$(field qemu/200 pid)"
	watch_begin 200
	in_n1 sh -c 'kill -9 $(pgrep -x libvirtd); rm -f /run/libvirtd.pid; libvirtd -d'
	pause 3
	ok "a quick restart: 200 runs" status_is 200 running
	watch_end
	ok "nothing else was shown" is running "$(cat "$LAB/shown")"

	echo "# its process killed while libvirtd is stopped"
	in_n1 kill -STOP "$(daemon)"
	ok "200 is unknown" wait_for 6 status_is 200 unknown
	in_n1 kill -9 "$(qemu_pid 200)"
	pause 1
	ok "it stays unknown" status_is 200 unknown
	in_n1 kill -CONT "$(daemon)"
	ok "libvirtd goes on: it is stopped" wait_for 3 status_is 200 stopped
	ok "start 200" lodge start 200

	echo "# the monitor killed"
	watch_begin 200
	monitor=$(in_n1 pgrep -x lodge-monitor)
	in_n1 kill -9 "$monitor"
	ok "another monitor" wait_for 5 in_n1 sh -c "pgrep -x lodge-monitor | grep -vx $monitor"
	ok "200 runs" wait_for 5 status_is 200 running
	ok "201 is stopped" wait_for 3 status_is 201 stopped
	pause 1
	ok "200 was never shown as stopped" never_stopped
	in_n1 kill -STOP "$(daemon)"
	watch_begin 200
	in_n1 kill -9 "$(in_n1 pgrep -x lodge-monitor)"
	ok "killed while libvirtd is stopped: 200 is unknown" wait_for 5 status_is 200 unknown
	in_n1 kill -CONT "$(daemon)"
	ok "libvirtd goes on: 200 runs" wait_for 3 status_is 200 running
	ok "200 was never shown as stopped" never_stopped
	ok "201 is stopped" wait_for 3 status_is 201 stopped
	ok "the monitor has one thread more" is 2 "$(in_n1 sh -c 'ls /proc/$(pgrep -x lodge-monitor)/task | wc -l')"
	ok "stop 200" lodge stop 200
}

for n in 1 2; do
	echo "# cycle $n"
	cycle
done

ok "the reasons are in the core's log" in_n1 grep -E 'guest 200 stopped: (failed|crashed)' /var/log/lodge/lodged.log
ok "destroy" lodge destroy 200
ok "destroy" lodge destroy 201
ok "the container runs on" is running "$(field lxc/300 status)"
lodge stop 300 >/dev/null
ok "destroy" lodge destroy 300
lab_stop_all
ok "nothing is left on the host" lab_residue_after
