#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Consoles: terminals of containers (busybox, Debian), a machine's serial port and its screen, through the CLI on
# real ptys; what a viewer that dies or does not read does to the guest (nothing), and a core that dies
# (nothing).
. "$(dirname "$(readlink -f "$0")")/lib.sh"

product_make
template=$(template_busybox) || skip_all "no template"
cp "$here/console_expect.py" "$here/rfb.py" "$here/vm_libvirt.sh" "$LAB/"
cp "$template" "$LAB/busybox.tar.gz"

in_n1() { lab_in n1 "$@"; }
term() { in_n1 $python /lab/console_expect.py "$@"; } # term SECONDS STEP… -- COMMAND…
field() { # field PATH NAME
	in_n1 lodge get "$1" --json | "$python" -c 'import json,sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "$2"
}
fails_with() { # fails_with TEXT COMMAND…
	local text=$1 out
	shift
	out=$("$@" 2>&1) && { echo "did not fail: $out"; return 1; }
	[[ $out == *"$text"* ]] || { echo "$out"; return 1; }
}
tasks() { in_n1 lodge get /nodes/n1/tasks --typefilter vncproxy "$@" --json; }
no_console_runs() { [ "$(tasks --source active | tr -d ' \n')" = "[]" ]; }
last_console() { # last_console STATUS: of the console that ended last
	tasks --source all | "$python" -c 'import json,sys
tasks = [t for t in json.load(sys.stdin) if "endtime" in t]
print(tasks[:1])
sys.exit(not tasks or sys.argv[1] not in tasks[0]["status"])' "$1"
}
inside() { # inside VMID COMMAND…
	local vmid=$1
	shift
	in_n1 nsenter -t "$(field /nodes/n1/lxc/$vmid/status/current pid)" -m -p -r -- "$@"
}
ended_well() { wait "$1" || { cat "$2"; return 1; }; } # ended_well PID FILE
login=('send:\r' 'expect:login: ' 'send:root\r' 'expect:[Pp]assword: ' 'send:secret12\r' 'expect:[#$] ')
leave=('send:\x1dq' exit:0)

lab_residue_before
ok "a node" lab_start n1
ok "the product answers on it" product_up n1
in_n1 lodge upload /lab/busybox.tar.gz local:vztmpl >/dev/null
create=(in_n1 lodge create 101 --ostemplate local:vztmpl/busybox.tar.gz --rootfs local:0.1 --hostname bb
	--memory 64 --password secret12)
ok "a container" "${create[@]}"
ok "a console of a stopped container is refused" fails_with "CT 101 not running" in_n1 lodge console 101
ok "start" in_n1 lodge start 101
ok "log in, and read an answer" term 15 size:100x30 "${login[@]}" 'send:echo a$((6*7))b\r' 'expect:^a42b$' \
	'send:stty size\r' 'expect:^30 100$' size:120x40 'send:stty size\r' 'expect:^40 120$' \
	'send:exit\r' 'expect:login: ' "${leave[@]}" -- lodge console 101
ok "its task ends OK" wait_for 5 last_console OK

in_n1 rm -f /tmp/one-in /tmp/one-done
term 30 "${login[@]}" 'touch:/tmp/one-in' 'wait:/tmp/one-done' 'send:echo still$((1+1))\r' 'expect:^still2$' \
	'send:exit\r' 'expect:login: ' "${leave[@]}" -- lodge console 101 >"$LAB/one" 2>&1 &
one=$!
ok "a first viewer" wait_for 20 in_n1 test -e /tmp/one-in
in_n1 sh -c 'awk "/^(Rss|Pss):/ {print \"# memory of a console:\", \$0}" /proc/$(pgrep -f lodge-task-console | head -1)/smaps_rollup'
term 30 "${login[@]}" \
	'send:tty\r' 'expect:^/dev/(tty|pts/)[0-9]' 'touch:/tmp/two-in' 'wait:/tmp/two-done' 'send:exit\r' 'expect:login: ' \
	"${leave[@]}" -- lodge console 101 >"$LAB/two" 2>&1 &
two=$!
wait_for 20 in_n1 test -e /tmp/two-in
ok "a third is told that all are in use" term 15 'expect:all of its terminals are in use' exit:1 -- lodge console 101
in_n1 touch /tmp/two-done
ok "the second had one of its own" ended_well $two "$LAB/two"
in_n1 touch /tmp/one-done
ok "the first saw nothing of that" ended_well $one "$LAB/one"
ok "no console is left" wait_for 5 no_console_runs

ok "a viewer is killed" term 15 "${login[@]}" 'send:echo up$((1+1)); exec sleep 1000\r' 'expect:^up2$' 'signal:KILL' exit:-9 -- lodge console 101
ok "its task ends OK" wait_for 5 no_console_runs
ok "what it had started goes on" inside 101 /bin/sh -c 'ps | grep -v grep | grep "sleep 1000"'
inside 101 /bin/sh -c 'kill $(ps | grep -v grep | grep "sleep 1000" | while read pid rest; do echo $pid; done)'

term 60 "${login[@]}" 'send:yes 0123456789 | head -c 8000000; touch /tmp/printed\r' 'expect:0123456789' 'signal:STOP' \
	'touch:/tmp/stopped' 'wait:/tmp/go-on' 'signal:CONT' 'expect:bytes of output were skipped' 'send:\r' 'expect:[#$] ' \
	'send:echo back$((1+1))\r' 'expect:^back2$' 'send:exit\r' 'expect:login: ' "${leave[@]}" -- lodge console 101 >"$LAB/slow" 2>&1 &
slow=$!
ok "a viewer does not read" wait_for 20 in_n1 test -e /tmp/stopped
ok "the guest prints megabytes all the same" wait_for 30 inside 101 /bin/busybox test -e /tmp/printed
in_n1 touch /tmp/go-on
ok "the viewer is told what it missed, and goes on" ended_well $slow "$LAB/slow"

in_n1 rm -f /tmp/one-in /tmp/one-done
term 60 "${login[@]}" 'touch:/tmp/one-in' 'wait:/tmp/one-done' 'send:echo alive$((1+1))\r' 'expect:^alive2$' \
	'send:exit\r' 'expect:login: ' "${leave[@]}" -- lodge console 101 >"$LAB/one" 2>&1 &
one=$!
wait_for 20 in_n1 test -e /tmp/one-in
core=$(in_n1 pgrep -x lodged)
in_n1 kill -9 "$core"
ok "the core was killed and is back" wait_for 20 api_answers n1
ok "it knows the console's task" not no_console_runs
in_n1 touch /tmp/one-done
ok "the console goes on" ended_well $one "$LAB/one"
ok "its task ends" wait_for 10 no_console_runs

ok "a console that nobody takes" in_n1 lodge post /nodes/n1/lxc/101/termproxy
ok "is closed after 40 s" wait_for 50 no_console_runs
ok "its task says so" last_console "no viewer came in time"

in_n1 lodge config 101 --cmode console >/dev/null
ok "cmode console: /dev/console" term 15 "${login[@]}" 'send:echo c$((1+1))\r' 'expect:^c2$' 'send:exit\r' \
	'expect:login: ' "${leave[@]}" -- lodge console 101
in_n1 lodge config 101 --cmode shell >/dev/null
ok "cmode shell: a shell of root" term 15 size:90x20 'expect:# ' 'send:id -u; tty; stty size; echo $PPID\r' 'expect:^0$' \
	'expect:^/dev/pts/[0-9]+$' 'expect:^20 90$' 'send:exit\r' exit:0 -- lodge console 101
ok "a pipe instead of a terminal" bash -c "echo 'echo piped\$((1+1))' | '$LAB/n1/in' lodge console 101 | grep piped2"
in_n1 lodge config 101 --delete cmode >/dev/null
term 30 'send:\r' 'expect:login: ' 'touch:/tmp/three-in' exit:0 -- lodge console 101 >"$LAB/three" 2>&1 &
three=$!
wait_for 20 in_n1 test -e /tmp/three-in
in_n1 lodge stop 101 >/dev/null
ok "the container stops: its console ends well" ended_well $three "$LAB/three"
ok "destroy" in_n1 lodge destroy 101

if template=$("$top/storage/make-template.sh" debian 2>"$LAB/debian.err"); then
	cp "$template" "$LAB/debian.tar.zst"
	in_n1 lodge upload /lab/debian.tar.zst local:vztmpl >/dev/null
	ok "a Debian container" in_n1 lodge create 102 --ostemplate local:vztmpl/debian.tar.zst --rootfs local:1 \
		--hostname deb --memory 256 --password secret12 --start 1
	ok "it asks for a log-in, knows the window, answers" term 40 size:110x33 "${login[@]}" 'send:stty size\r' \
		'expect:33 110' 'send:tty\r' 'expect:/dev/(tty|pts/)[0-9]' "${leave[@]}" -- lodge console 102
	ok "stop" in_n1 lodge stop 102
	ok "destroy" in_n1 lodge destroy 102
else
	skip "Debian" "no template: $(tail -1 "$LAB/debian.err")"
fi

machine() {
	command -v libvirtd >/dev/null && [ -x "$LAB/product/usr/libexec/lodge/lodge-task-vm" ] || return
	iso=$("$top/storage/make-iso.sh" 2>"$LAB/iso.err") && cp "$iso" "$LAB/lodge.iso"
}
if machine; then
	ok "libvirtd" in_n1 bash /lab/vm_libvirt.sh
	in_n1 lodge upload /lab/lodge.iso local:iso >/dev/null
	ok "a machine" in_n1 lodge create 200 --memory 256 --kvm 0 --ostype l26 --serial0 socket \
		--ide2 local:iso/lodge.iso,media=cdrom --boot order=ide2
	ok "a screen of a stopped machine is refused" fails_with "VM 200 not running" in_n1 lodge console 200 --vnc
	ok "start" in_n1 lodge start 200
	ok "its serial port: ready, and a shell" term 90 'expect:^lodge-iso ready' 'send:\r' 'expect:# ' \
		'send:echo v$((6*7))\r' 'expect:^v42$' "${leave[@]}" -- lodge console 200
	ok "a port that it has not" fails_with "has no serial2" in_n1 lodge console 200 --serial serial2
	in_n1 rm -f /tmp/one-in /tmp/one-done
	term 60 'send:\r' 'expect:# ' touch:/tmp/one-in wait:/tmp/one-done "${leave[@]}" -- lodge console 200 >"$LAB/one" 2>&1 &
	one=$!
	wait_for 20 in_n1 test -e /tmp/one-in
	ok "one viewer at a time" term 15 'expect:another viewer has it open' exit:1 -- lodge console 200
	in_n1 touch /tmp/one-done
	wait $one

	lab_spawn n1 sh -c 'exec lodge console 200 --vnc >/tmp/vnc 2>/tmp/vnc.err'
	wait_for 10 in_n1 grep -q / /tmp/vnc
	socket=$(in_n1 cat /tmp/vnc)
	ok "its screen changes when something is typed" in_n1 $python /lab/rfb.py "$socket" 30 "echo pixelspixelspixels"
	ok "a second viewer after the first" in_n1 $python /lab/rfb.py "$socket" 30 "echo againagainagain"
	ok "its socket is its owner's" is 700 "$(in_n1 stat -c %a "${socket%/*}")"
	daemon=$(in_n1 pgrep -x libvirtd)
	in_n1 kill -STOP "$daemon"
	ok "libvirtd stopped: the stream ends" fails_with "the stream ended" in_n1 $python /lab/rfb.py "$socket" 40 x
	in_n1 kill -CONT "$daemon"
	ok "its task says why" wait_for 5 last_console "libvirtd does not answer"
	ok "libvirtd goes on: it works" in_n1 $python /lab/rfb.py "$socket" 30 "echo pixelspixelspixels"
	in_n1 $python /lab/rfb.py "$socket" 60 >"$LAB/rfb" 2>&1 &
	viewer=$!
	wait_for 10 grep -q holds "$LAB/rfb"
	ok "stop" in_n1 lodge stop 200
	ok "the viewer's stream ended" ended_well $viewer "$LAB/rfb"
	ok "the socket is gone" wait_for 10 not in_n1 test -e "${socket%/*}"
	ok "it said that the machine stopped" in_n1 grep -q "has stopped" /tmp/vnc.err
	in_n1 lodge destroy 200 >/dev/null
else
	skip "a virtual machine" "no libvirt or no ISO"
fi
ok "no console is left" wait_for 5 no_console_runs
lab_stop_all
ok "nothing is left on the host" lab_residue_after
