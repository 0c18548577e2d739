#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What options of containers do on a node: the program that runs as init and its environment, terminals that are not
# there, why a container ended, all guests started and shut down in order, what goes with one that is destroyed.
. "$(dirname "$(readlink -f "$0")")/lib.sh"

product_make
template=$(template_busybox) || skip_all "no template"
cp "$template" "$LAB/busybox.tar.gz"
in_n1() { lab_in n1 "$@"; }
lodge() { lab_in n1 lodge "$@"; }
field() { # field VMID NAME: of status/current
	lodge get "/nodes/n1/lxc/$1/status/current" --json | "$python" -c 'import json,sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "$2"
}
ended() { # ended VMID REASON [CODE [SIGNAL]]
	is "stopped $2 ${3:-} ${4:-}" "$(field "$1" status) $(field "$1" reason) $(field "$1" exit-code) $(field "$1" exit-signal)"
}
status_is() { is "$2" "$(field "$1" status)"; }
listed() { lodge ls | grep -q "^$1 .*$2"; }
fails_with() { # fails_with TEXT COMMAND…
	local text=$1 out
	shift
	out=$("$@" 2>&1) && { echo "did not fail: $out"; return 1; }
	[[ $out == *"$text"* ]] || { echo "$out"; return 1; }
}
script() { # script VMID: stdin becomes its entry point
	{ echo '#!/bin/sh'; cat; } >"$LAB/entry"
	lodge start "$1" >/dev/null || return
	in_n1 sh -c 'lodge exec "$1" -- sh -c "cat >/entry; chmod 755 /entry" </lab/entry' _ "$1" && lodge stop "$1" >/dev/null
}

lab_residue_before
ok "a node" lab_start n1
ok "the product answers on it" product_up n1
lodge upload /lab/busybox.tar.gz local:vztmpl >/dev/null
new() { lodge create "$1" --ostemplate local:vztmpl/busybox.tar.gz --rootfs local:0.1 --memory 64 --swap 0 --unprivileged 1 "${@:2}"; }

# ---- init ----

ok "a container" new 101 --hostname one
script 101 <<'END'
echo "$A|$B|$0 $*|$$" >/said
tty >>/said 2>&1
trap 'exit 0' TERM PWR
while :; do sleep 0.1; done
END
ok "a program instead of init, and its environment" lodge config 101 --entrypoint '/entry first second' --env 'A=v 1\0B=x=y' --console 0 --tty 0
ok "start" lodge start 101
ok "it is process 1, with its words and variables" is 'v 1|x=y|/entry first second|1' "$(lodge exec 101 -- head -n1 /said)"
ok "it has no console" lodge exec 101 -- sh -c 'grep -q "not a tty" /said || ! grep -q console /said'
ok "nor terminals" lodge exec 101 -- sh -c '! test -e /dev/tty1'
lodge config 101 --entrypoint /bin/other >"$LAB/out" 2>&1
ok "another one waits for the next start" bash -c '"$1" lodge get /nodes/n1/lxc/101/pending --json | tr -d " \n" | grep -q "\"pending\":\"/bin/other\""' _ "$LAB/n1/in"
lodge config 101 --revert entrypoint >/dev/null
ok "options without an effect inside do not" lodge config 101 --onboot 1 --startup order=1 --protection 0 --tags a --description text --cmode shell
ok "nothing waits" bash -c '! "$1" lodge get /nodes/n1/lxc/101/pending --json | grep -q "\"pending\""' _ "$LAB/n1/in"
ok "stop" lodge stop 101
ok "asked for, it needs no reason" ended 101 ""

# ---- ends ----

new 102 --hostname two >/dev/null
script 102 <<'END'
exec 3<>/fifo
read -r what code <&3
case $what in
exit) exit "$code" ;;
crash) exec /crash ;;
hog) mount -t tmpfs -o size=1g tmpfs /tmp && dd if=/dev/zero of=/tmp/fill bs=1M count=300; exit $? ;;
esac
END
lodge start 102 >/dev/null
lodge exec 102 -- mkfifo /fifo
# a program of one instruction that there is not
"$python" -c 'import struct, sys
code, at = b"\x0f\x0b", 0x400000
head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, at + 120, 64, 0, 0, 64, 56, 1, 0, 0, 0)
sys.stdout.buffer.write(head + struct.pack("<IIQQQQQQ", 1, 5, 0, at, at, 122, 122, 4096) + code)' >"$LAB/crash"
in_n1 sh -c 'lodge exec 102 -- sh -c "cat >/crash; chmod 755 /crash" </lab/crash'
lodge stop 102 >/dev/null
lodge config 102 --entrypoint /entry --memory 32 >/dev/null
ends() { # ends WORDS REASON [CODE [SIGNAL]]
	lodge start 102 || return
	began=$(date +%s%N)
	lodge exec 102 -- sh -c "echo $1 >/fifo" || :
	wait_for 5 ended 102 "${@:2}" || return
	took=$((($(date +%s%N) - began) / 1000000))
	[ $took -lt 1500 ] || { echo "took $took ms"; return 1; }
}
ok "exit 3" ends "exit 3" exited 3
ok "the list says so" listed 102 'exited.*3'
ok "exit 0 is its own will" ends "exit 0" ""
ok "a list has no reason then" not listed 102 exited
lodge start 102 >/dev/null 2>&1
in_n1 kill -9 "$(field 102 pid)"
ok "by its signal" wait_for 5 ended 102 killed "" 9
if [ "$(uname -m)" = x86_64 ]; then
	ok "a crash of init" ends crash crashed "" 4
	ok "the log of the core says so" in_n1 grep -q 'guest 102 stopped: crashed' /var/log/lodge/lodged.log
fi
lodge start 102 >/dev/null 2>&1
lodge exec 102 -- sh -c 'echo hog >/fifo'
ok "want of memory in 32 MiB" wait_for 20 bash -c '"$1" lodge get /nodes/n1/lxc/102/status/current --json | grep -q "\"reason\": *\"oom\""' _ "$LAB/n1/in"

printf '#!/bin/sh\nexit 3\n' >"$LAB/entry"
lodge config 102 --delete entrypoint --memory 64 >/dev/null
lodge start 102 >/dev/null
in_n1 sh -c 'lodge exec 102 -- sh -c "cat >/entry" </lab/entry'
lodge stop 102 >/dev/null
lodge config 102 --entrypoint /entry >/dev/null
lodge start 102 >"$LAB/log" 2>&1
wait_for 5 ended 102 exited 3
if grep -q 'stopped again at once' "$LAB/log"; then
	ok "the task of a start that ends at once says why" grep -q 'stopped again at once: exited, code 3' "$LAB/log"
else
	skip "the task of a start that ends at once says why" "it ended after its start"
fi

# ---- all of them ----

new 103 --hostname three --onboot 1 --startup order=2,down=3 >/dev/null
new 104 --hostname four --onboot 1 --startup order=1,up=2 >/dev/null
new 105 --hostname five >/dev/null
lodge config 101 --delete entrypoint,env --onboot 1 >/dev/null
lodge config 102 --delete entrypoint >/dev/null
lodge config 101 --delete startup >/dev/null
script 103 <<'END'
trap '' PWR TERM USR1 USR2
while :; do sleep 1; done
END
lodge config 103 --entrypoint /entry >/dev/null
start_of() { in_n1 awk '{ print $22 }' "/proc/$(field "$1" pid)/stat"; }
ok "startall" lodge startall
ok "those with onboot run" status_is 101 running
ok "the one of order 1" status_is 104 running
ok "and of order 2" status_is 103 running
ok "others do not" status_is 105 stopped
ok "in their order, two seconds after the first" bash -c '[ $(($2 - $1)) -ge 200 ] && [ "$3" -ge "$2" ]' _ "$(start_of 104)" "$(start_of 103)" "$(start_of 101)"
ok "startall of what runs does nothing" lodge startall
ok "one by name, without onboot" lodge startall --force 1 --vms 105
ok "runs" status_is 105 running
ok "one that is not there" fails_with "guest '999' is not on this node" lodge startall --vms 999
ok "a list that is none" fails_with vms lodge startall --vms 1-5
ok "who does not stop fails it" fails_with 'not stopped: 103' lodge stopall --vms 103 --force-stop 0
ok "and runs" status_is 103 running
began=$SECONDS
ok "stopall" lodge stopall --timeout 30
ok "nobody runs" bash -c '! "$1" lodge ls | grep running' _ "$LAB/n1/in"
ok "who does not listen had the time of its startup" [ $((SECONDS - began)) -lt 25 ]
ended_at() { # when its shutdown was begun
	lodge get /nodes/n1/tasks --typefilter vzshutdown --vmid "$1" --json | "$python" -c 'import json,sys; t = json.load(sys.stdin)[0]; print(t["starttime"])'
}
ok "in the reverse order: without one first, order 1 last" bash -c '[ "$1" -le "$2" ] && [ "$2" -lt "$3" ]' _ "$(ended_at 101)" "$(ended_at 103)" "$(ended_at 104)"
# ---- limits of copies ----

new 106 --hostname six >/dev/null
lodge start 106 >/dev/null
lodge exec 106 -- sh -c 'head -c 12000000 /dev/urandom >/fill; sync' >/dev/null
lodge stop 106 >/dev/null
at_least() { # at_least SECONDS COMMAND…
	local wanted=$1 began
	shift
	began=$(date +%s%N)
	"$@" || return
	[ $((($(date +%s%N) - began) / 1000000)) -ge $((wanted * 1000)) ] || { echo "took $((($(date +%s%N) - began) / 1000000)) ms"; return 1; }
}
ok "a copy within a bound" at_least 3 lodge clone 106 107 --full 1 --bwlimit 3000
ok "of a storage" lodge storage set local --bwlimit clone=3000
ok "counts where the request has none" at_least 3 lodge clone 106 108 --full 1
ok "all of it is there" bash -c '"$1" lodge start 108 >/dev/null && [ "$("$1" lodge exec 108 -- sh -c "wc -c </fill" | tr -d " ")" = 12000000 ]' _ "$LAB/n1/in"
lodge storage set local --delete bwlimit >/dev/null
ok "of all" lodge put /cluster/options --bwlimit restore=1000
ok "a new one is unpacked within it" at_least 1 new 109 --hostname nine
lodge put /cluster/options --delete bwlimit >/dev/null
for id in 106 107 108 109; do
	lodge stop $id >/dev/null 2>&1
	ok "destroy $id" lodge destroy $id
done

# ---- what names one that is gone ----

acls() { lodge get /access/acl --json | tr -d ' \n'; }
lodge post /access/users --userid joe@pve --password secret123 >/dev/null
lodge put /access/acl --path /vms/105 --users joe@pve --roles PVEVMUser >/dev/null
lodge put /access/acl --path /vms/104 --users joe@pve --roles PVEVMUser >/dev/null
ok "rights on two of them" bash -c '[[ "$1" == */vms/104* && "$1" == */vms/105* ]]' _ "$(acls)"
ok "one is destroyed" lodge destroy 105
ok "rights on it are gone, those on others are not" bash -c '[[ "$1" == */vms/104* && "$1" != */vms/105* ]]' _ "$(acls)"
ok "nothing names it" not in_n1 sh -c 'ls -d /run/lodge/guests/105* /run/lodge/ct/105* /run/lodge/ct/mnt/105* /var/lib/lodge/local/images/105 /run/lxc/lock/run/lodge/ct/.105' 
ok "force: one that runs" lodge start 104
ok "without it is refused" fails_with "is running" lodge destroy 104
ok "with it" lodge destroy 104 --force 1 --purge 1 --destroy-unreferenced-disks 1
ok "its rights are gone" bash -c '[[ "$1" != */vms/104* ]]' _ "$(acls)"
for id in 101 102 103; do
	lodge stop $id >/dev/null 2>&1
	ok "destroy $id" lodge destroy $id
done
lab_stop_all
ok "nothing is left on the host" lab_residue_after
