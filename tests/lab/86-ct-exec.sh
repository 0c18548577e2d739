#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lodge exec and lodge enter: programs and a shell inside containers from the command line; what ends them, what they
# leave (nothing), a core and a job that are killed; a container that ends for want of memory.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

product_make
template=$(template_busybox) || skip_all "no template"
cp "$here/console_expect.py" "$LAB/"
cp "$template" "$LAB/busybox.tar.gz"

in_n1() { lab_in n1 "$@"; }
lodge() { lab_in n1 lodge "$@"; }
term() { in_n1 $python /lab/console_expect.py "$@"; } # term SECONDS STEP… -- COMMAND…
field() { # field PATH NAME
	lodge get "$1" --json | "$python" -c 'import json,sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "$2"
}
code() { # code EXPECTED COMMAND…
	local wanted=$1 got
	shift
	"$@"
	got=$?
	is "$wanted" "$got"
}
fails_with() { # fails_with TEXT COMMAND…
	local text=$1 out
	shift
	out=$("$@" 2>&1) && { echo "did not fail: $out"; return 1; }
	[[ $out == *"$text"* ]] || { echo "$out"; return 1; }
}
no_program_runs() { [ "$(lodge get /nodes/n1/tasks --typefilter vzexec --source active --json | tr -d ' \n')" = "[]" ]; }
processes() { # processes WORDS: of container 101, as the node sees them
	in_n1 sh -c 'ns=$(readlink /proc/'"$(field /nodes/n1/lxc/101/status/current pid)"'/ns/pid)
		for p in /proc/[0-9]*; do [ "$(readlink $p/ns/pid)" = "$ns" ] && tr "\0" " " <$p/cmdline && echo; done 2>/dev/null' | grep -F "$1"
}
reason_is() { is "$1" "$(field /nodes/n1/lxc/101/status/current reason)"; }
status_is() { is "$1" "$(field /nodes/n1/lxc/101/status/current status)"; }

lab_residue_before
ok "a node" lab_start n1
ok "the product answers on it" product_up n1
lodge upload /lab/busybox.tar.gz local:vztmpl >/dev/null
ok "a container" lodge create 101 --ostemplate local:vztmpl/busybox.tar.gz --rootfs local:0.1 --hostname bb --memory 96 \
	--swap 0 --cores 1 --password secret12
ok "exec in a stopped one is refused" fails_with "CT 101 not running" lodge exec 101 -- true
ok "start" lodge start 101

ok "output" is bb "$(lodge exec 101 -- hostname)"
ok "its exit code" code 7 lodge exec 101 -- sh -c 'exit 7'
ok "a signal" code 137 lodge exec 101 -- sh -c 'kill -9 $$'
ok "errors go to errors" is "" "$(lodge exec 101 -- sh -c 'echo x >&2' 2>/dev/null)"
ok "they are there" is x "$(lodge exec 101 -- sh -c 'echo x >&2' 2>&1)"
ok "words stay words" is '$(id) ; "a  b"' "$(lodge exec 101 -- echo '$(id) ; "a  b"')"
ok "input" bash -c '[ "$(printf "one\ntwo\n" | "$1" lodge exec 101 -- wc -l | tr -d " ")" = 2 ]' _ "$LAB/n1/in"
head -c 5000000 /dev/urandom >"$LAB/sent"
ok "megabytes of it, there and back" bash -c '"$1" lodge exec 101 -- cat <"$2" | cmp - "$2"' _ "$LAB/n1/in" "$LAB/sent"
ok "a program that reads none of it" code 0 bash -c 'head -c 5000000 /dev/zero | "$1" lodge exec 101 -- true' _ "$LAB/n1/in"
ok "folder, environment" is "/etc v 1" "$(lodge exec 101 --cwd /etc --env "A=v 1" -- sh -c 'echo $PWD $A')"
ok "a time-out" fails_with "did not end within 1 s" lodge exec 101 --timeout 1 -- sleep 60
ok "nothing of it is left" not processes "sleep 60"
ok "what is not there" code 127 lodge exec 101 -- /no/such
ok "no such folder" code 127 lodge exec 101 --cwd /no/such -- true
ok "its limits hold: processors" is 1 "$(lodge exec 101 -- nproc)"
ok "and memory" code 137 lodge exec 101 -- sh -c 'dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null; exit $?'
ok "it still runs" status_is running
ok "something left in the background is not waited for" is "" "$(timeout 10 "$LAB/n1/in" lodge exec 101 -- sh -c 'sleep 77 >/dev/null 2>&1 </dev/null &')"

lab_spawn n1 sh -c 'exec lodge exec 101 -- sleep 4711'
ok "one that lasts" wait_for 10 processes "sleep 4711"
ok "the core does not mind" api_answers n1
caller=$(in_n1 pgrep -f '^lodge exec 101 -- sleep 4711')
core=$(in_n1 pgrep -x lodged)
in_n1 kill -9 "$core"
ok "the core was killed and is back" wait_for 20 api_answers n1
ok "the program goes on" wait_for 10 processes "sleep 4711"
in_n1 kill -9 "$caller"
ok "its caller is killed: it ends" wait_for 10 not processes "sleep 4711"
ok "no program is left" wait_for 10 no_program_runs
lab_spawn n1 sh -c 'lodge exec 101 -- sleep 4712; echo $? >/tmp/exec-code'
wait_for 10 processes "sleep 4712"
upid=$(lodge get /nodes/n1/tasks --typefilter vzexec --source active --json | "$python" -c 'import json,sys; print(json.load(sys.stdin)[0]["upid"])')
ok "its task is stopped" lodge task stop "$upid"
ok "it ends" wait_for 15 not processes "sleep 4712"
ok "and the caller is told" wait_for 5 in_n1 grep -qx 1 /tmp/exec-code

ok "enter: a shell of root, without a log-in" term 15 size:90x20 'expect:# ' 'send:id -u; stty size; tty\r' 'expect:^0$' \
	'expect:^20 90$' 'expect:^/dev/pts/[0-9]+$' size:100x30 'send:stty size\r' 'expect:^30 100$' 'send:exit\r' exit:0 -- lodge enter 101
ok "suspend" lodge suspend 101
ok "status paused" wait_for 5 status_is paused
ok "the list says so" bash -c '"$1" lodge ls | grep -q "^101 .*paused"' _ "$LAB/n1/in"
ok "exec is refused" fails_with "CT 101 is suspended" lodge exec 101 -- true
monitor=$(in_n1 pgrep -x lodge-monitor)
in_n1 kill -9 "$monitor"
ok "a new monitor sees it as well" wait_for 20 status_is paused
ok "resume" lodge resume 101
ok "status running" wait_for 5 status_is running

# ends that nobody asked for
init=$(field /nodes/n1/lxc/101/status/current pid)
began=$(date +%s%N)
in_n1 kill -9 "$init"
ok "an init that is killed is noticed" wait_for 5 status_is stopped
ok "within a second" bash -c '[ $((($(date +%s%N) - '"$began"') / 1000000)) -lt 1500 ]'
ok "with the reason" wait_for 5 reason_is killed
ok "start" lodge start 101
ok "no reason any more" is "" "$(field /nodes/n1/lxc/101/status/current reason)"
lodge exec 101 -- sh -c 'mount -t tmpfs tmpfs /tmp; dd if=/dev/zero of=/tmp/fill bs=1M count=300' >/dev/null 2>&1
init=$(field /nodes/n1/lxc/101/status/current pid)
[ -z "$init" ] || in_n1 kill -9 "$init"
ok "one that ends after kills for want of memory" wait_for 10 status_is stopped
ok "has that reason" wait_for 5 reason_is oom
lodge start 101 >/dev/null
ok "a stop that was asked for needs none" lodge stop 101
ok "and has none" reason_is ""

# every step of a hot change survives a kill of its job and of the core
lodge start 101 >/dev/null
for round in 1 2 3 4 5 6; do
	lodge config 101 --memory $((100 + round)) --mp0 local:0.0625,mp=/srv >/dev/null 2>&1 &
	caller=$!
	pause 0.0$((round * 2))
	for pid in $(in_n1 pgrep -f 'lodge-task-ct vzconfig') $([ $((round % 2)) = 0 ] || in_n1 pgrep -x lodged); do in_n1 kill -9 "$pid" 2>/dev/null; done
	wait $caller
	wait_for 20 api_answers n1
	wait_for 20 bash -c '[ "$("$1" lodge get /nodes/n1/tasks --typefilter vzconfig --source active --json | tr -d " \n")" = "[]" ]' _ "$LAB/n1/in"
	named=$(lodge config 101 | grep -o 'vm-101-disk-[0-9]*.raw' | sort -u | wc -l)
	there=$(in_n1 ls /var/lib/lodge/local/images/101 | wc -l)
	ok "round $round: every volume is named" [ "$there" -le "$named" ]
	ok "round $round: it runs" wait_for 10 status_is running
	for key in mp0 $(lodge config 101 | grep -o '^unused[0-9]*'); do lodge config 101 --delete $key >/dev/null 2>&1; done
	for key in $(lodge config 101 | grep -o '^unused[0-9]*'); do lodge config 101 --delete $key >/dev/null 2>&1; done
done
ok "what it has in the end is its root" is 1 "$(in_n1 ls /var/lib/lodge/local/images/101 | wc -l)"
ok "stop" lodge stop 101
ok "destroy" lodge destroy 101
lab_stop_all
ok "nothing is left on the host" lab_residue_after
