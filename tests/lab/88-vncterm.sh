#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A container's terminal as a VNC screen: typed at, and read back from its pixels; sizes; two viewers; viewers that do
# not read or stop in the middle of a message (the guest goes on); what its server may do (nothing); ends on every side.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

product_make
template=$(template_busybox) || skip_all "no template"
[ -r /usr/share/grub/unicode.pf2 ] || skip_all "no font: grub-common is not installed"
cp "$here/rfb_term.py" "$LAB/"
cp "$template" "$LAB/busybox.tar.gz"

in_n1() { lab_in n1 "$@"; }
lodge() { lab_in n1 lodge "$@"; }
field() { # field PATH NAME
	lodge get "$1" --json | "$python" -c 'import json,sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "$2"
}
fails_with() { # fails_with TEXT COMMAND…
	local text=$1 out
	shift
	out=$("$@" 2>&1) && { echo "did not fail: $out"; return 1; }
	[[ $out == *"$text"* ]] || { echo "$out"; return 1; }
}
tasks() { lodge get /nodes/n1/tasks --typefilter vncproxy "$@" --json; }
no_console_runs() { [ "$(tasks --source active | tr -d ' \n')" = "[]" ]; }
last_console() { # last_console STATUS: of the console that ended last
	tasks --source all | "$python" -c 'import json,sys
tasks = [t for t in json.load(sys.stdin) if "endtime" in t]
print(tasks[:1])
sys.exit(not tasks or sys.argv[1] not in tasks[0]["status"])' "$1"
}
inside() { # inside COMMAND…
	in_n1 nsenter -t "$(field /nodes/n1/lxc/101/status/current pid)" -m -p -r -- "$@"
}
ended_well() { wait "$1" || { cat "$2"; return 1; }; } # ended_well PID FILE
serve() { # serve NAME OPTION…: a socket for viewers, as $NAME
	local name=$1
	shift
	in_n1 rm -f "/tmp/$name"
	lab_spawn n1 sh -c "exec lodge console 101 --vnc $* >/tmp/$name 2>/tmp/$name.err"
	wait_for 10 in_n1 grep -q / "/tmp/$name" || return 1
	printf -v "$name" %s "$(in_n1 cat "/tmp/$name")"
}
view() { # view SOCKET SECONDS STEP…
	in_n1 "$python" /lab/rfb_term.py "$@"
}
view_in_background() { # view_in_background FILE SOCKET SECONDS STEP…; its pid is $viewer
	local file=$1
	shift
	in_n1 rm -f /tmp/in /tmp/go-on
	view "$@" >"$LAB/$file" 2>&1 &
	viewer=$!
}
server_pid() { in_n1 pgrep -x -n lodge-task-vnct; } # the kernel keeps fifteen characters
no_server_runs() { ! server_pid >/dev/null; }
has_no_privileges() {
	in_n1 sh -c '
		pid=$(pgrep -x -n lodge-task-vnct)
		grep -E "^(Uid|CapPrm|CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/$pid/status
		uid=$((0x70000000 + pid)) # that nobody else is
		grep -q "^Uid:	$uid	$uid	$uid	$uid$" /proc/$pid/status &&
			[ "$(grep -cE "^Cap(Prm|Eff|Bnd):	0+$" /proc/$pid/status)" = 3 ] &&
			grep -q "^Seccomp:	2$" /proc/$pid/status &&
			[ -z "$(ls /proc/$pid/root/)" ] && ls -l /proc/$pid/fd &&
			[ -z "$(tail -n +2 -q /proc/$pid/net/tcp /proc/$pid/net/tcp6 /proc/$pid/net/udp)" ]'
}
login=('type:\r' 'expect:login:$' 'type:root\r' 'expect:[Pp]assword:$' 'type:secret12\r' 'expect:[#$]$')
leave=('type:exit\r' 'expect:login:$')

lab_residue_before
ok "a node" lab_start n1
ok "the product answers on it" product_up n1
lodge upload /lab/busybox.tar.gz local:vztmpl >/dev/null
ok "a container" lodge create 101 --ostemplate local:vztmpl/busybox.tar.gz --rootfs local:0.1 --hostname bb \
	--memory 64 --password secret12
ok "a screen of a stopped container is refused" fails_with "CT 101 not running" lodge console 101 --vnc
ok "start" lodge start 101
ok "a size that cannot be is refused" fails_with "minimum value of 16" lodge post /nodes/n1/lxc/101/vncproxy --width 15
ok "a socket for viewers" serve one
ok "log in, and see an answer drawn" view "$one" 20 "${login[@]}" 'type:echo hi$((6*7))\r' 'expect:^hi42$' \
	'type:stty size\r' 'expect:^30 100$' "${leave[@]}"
ok "its task ends OK" wait_for 5 last_console OK
ok "colours, box drawing, umlauts" view "$one" 20 "${login[@]}" 'type:printf "\\033[38;2;1;200;3mtrue\\033[m"\r' \
	'color:01c803' 'type:printf "\\342\\224\\214\\342\\224\\200 \\303\\244\\n"\r' 'expect:^┌─ ä$' "${leave[@]}"
ok "another size" view "$one" 20 "${login[@]}" size:1001x640 'type:stty size\r' 'expect:^40 125$' \
	'type:echo w$(printf %0120d 7)w\r' 'expect:^w0{119}7w$' size:640x160 'type:stty size\r' 'expect:^10 80$' "${leave[@]}"
ok "a size beyond all bounds is refused" view "$one" 20 size:9000x100 "${login[@]}" "${leave[@]}"
ok "Ctrl-C, and what left the screen" view "$one" 20 "${login[@]}" 'type:echo s$((1+1)); sleep 1000\r' 'expect:^s2$' \
	keys:ffe3,63 'expect:\^C' 'type:seq 100\r' 'expect:^100$' 'absent:^60$' keys:ffe1,ff55 'expect:^60$' 'absent:^100$' \
	keys:ffe1,ff56 'expect:^100$' wheel:up wheel:up 'expect:^70$' 'type:\r' 'expect:^100$' "${leave[@]}"
ok "the clipboard is typed only when asked for" view "$one" 20 "${login[@]}" 'clip:echo cl\xe4p$((1+1))' 'type:\r' \
	'absent:cl.p' keys:ffe1,ff63 'type:\r' 'expect:^cläp2$' "${leave[@]}"
ok "a size of one's own" serve two --width 320 --height 80
ok "is the terminal's from the start" view "$two" 20 "${login[@]}" 'type:stty size\r' 'expect:^5 40$' "${leave[@]}"

view_in_background first "$one" 30 "${login[@]}" touch:/tmp/in wait:/tmp/go-on 'type:echo still$((1+1))\r' 'expect:^still2$' "${leave[@]}"
ok "a first viewer" wait_for 20 in_n1 test -e /tmp/in
ok "its server has no privileges, no files, no network" has_no_privileges
in_n1 sh -c 'awk "/^(Rss|Pss):/ {print \"# memory of a drawn terminal:\", \$0}" /proc/$(pgrep -x -n lodge-task-vnct)/smaps_rollup'
second=("${login[@]}" 'type:tty\r' 'expect:^/dev/(tty|pts/)[0-9]' touch:/tmp/in2 wait:/tmp/go-on2 'absent:still' "${leave[@]}")
in_n1 rm -f /tmp/in2 /tmp/go-on2
view "$two" 30 "${second[@]}" >"$LAB/second" 2>&1 &
other=$!
ok "a second one beside it" wait_for 20 in_n1 test -e /tmp/in2
ok "a third socket" serve three
ok "the third is told that all are in use" fails_with "refused: console of CT 101: all of its terminals are in use" view "$three" 15 expect:x
in_n1 touch /tmp/go-on2
ok "the second had a terminal of its own" ended_well $other "$LAB/second"
in_n1 touch /tmp/go-on
ok "the first goes on" ended_well $viewer "$LAB/first"
ok "no console is left" wait_for 5 no_console_runs

view_in_background slow "$one" 60 "${login[@]}" 'type:touch /tmp/begin; yes 0123456789 | head -c 8000000; touch /tmp/printed; echo; echo new$((1+1))\r' \
	touch:/tmp/in wait:/tmp/go-on 'expect:^new2$' 'type:clear; echo back$((1+1))\r' 'expect:^back2$' "${leave[@]}"
ok "a viewer does not read" wait_for 20 in_n1 test -e /tmp/in
ok "the guest prints megabytes all the same" wait_for 40 inside /bin/busybox test -e /tmp/printed
in_n1 touch /tmp/go-on
ok "the viewer comes back to the newest screen" ended_well $viewer "$LAB/slow"

inside /bin/busybox rm -f /tmp/printed
view_in_background half "$one" 60 "${login[@]}" 'type:sleep 1; yes 0123456789 | head -c 8000000; touch /tmp/printed\r' \
	half: touch:/tmp/in wait:/tmp/go-on
ok "a viewer stops in the middle of a message" wait_for 20 in_n1 test -e /tmp/in
ok "the guest prints megabytes all the same" wait_for 40 inside /bin/busybox test -e /tmp/printed
in_n1 touch /tmp/go-on
ok "it leaves" ended_well $viewer "$LAB/half"
ok "no console is left" wait_for 10 no_console_runs

view_in_background alive "$one" 40 'type:\r' 'expect:#$|login:$' touch:/tmp/in wait:/tmp/go-on 'type:echo alive$((1+1))\r' 'expect:alive' "type:exit\r" 'expect:login:$'
wait_for 20 in_n1 test -e /tmp/in
core=$(in_n1 pgrep -x lodged)
in_n1 kill -9 "$core"
ok "the core was killed and is back" wait_for 20 api_answers n1
ok "it knows the screen's task" not no_console_runs
in_n1 touch /tmp/go-on
ok "the screen goes on" ended_well $viewer "$LAB/alive"
ok "its task ends" wait_for 10 no_console_runs

view_in_background killed "$one" 30 'type:\r' 'expect:login:$' touch:/tmp/in end
wait_for 20 in_n1 test -e /tmp/in
in_n1 kill -9 "$(server_pid)"
ok "the server is killed: the stream ends" ended_well $viewer "$LAB/killed"
ok "its task says so" wait_for 5 last_console "VNC server failed"
view_in_background orphan "$one" 30 'type:\r' 'expect:login:$' touch:/tmp/in end
wait_for 20 in_n1 test -e /tmp/in
in_n1 kill -9 "$(in_n1 pgrep -x -n lodge-task-cons)"
ok "the job is killed: the stream ends" ended_well $viewer "$LAB/orphan"
ok "and its server with it" wait_for 10 no_server_runs
ok "a viewer that says nothing" in_n1 "$python" -c "import socket
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(25)
peer.connect('$one')
while peer.recv(100):
    pass"
ok "has ten seconds" wait_for 5 last_console "did not shake hands within 10 s"

lodge config 101 --cmode shell >/dev/null
ok "cmode shell: a shell of root" view "$one" 20 'expect:#$' 'type:id -u; tty\r' 'expect:^0$' 'expect:^/dev/pts/[0-9]+$' 'type:exit\r' end
ok "its end ends the task" wait_for 10 last_console OK
lodge config 101 --delete cmode >/dev/null
view_in_background stopped "$one" 30 'type:\r' 'expect:login:$' touch:/tmp/in end
wait_for 20 in_n1 test -e /tmp/in
ok "the container is stopped" lodge stop 101
ok "its viewer's stream ends" ended_well $viewer "$LAB/stopped"
ok "the task ends OK" wait_for 10 last_console OK
ok "the sockets are gone" wait_for 10 not in_n1 test -e "${one%/*}"
ok "no server is left" no_server_runs
ok "destroy" lodge destroy 101
lab_stop_all
ok "nothing is left on the host" lab_residue_after
