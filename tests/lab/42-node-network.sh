#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The node's own network: changed, confirmed, gone back on; and whatever is killed on the way, the state is the old or
# the new one.
# limit: 300
. "$(dirname "$(readlink -f "$0")")/lib.sh"
rounds=${LODGE_TEST_ROUNDS:-12}
[ "${LODGE_TEST_FULL:-0}" = 0 ] || rounds=${LODGE_TEST_ROUNDS:-100}
product_make
"$python" -c 'import proxmoxer' 2>/dev/null || skip_all "python3-proxmoxer is not installed"
lab_residue_before
ok "a node" lab_start n1
ok "the product answers on it" product_up n1
ok "an administrator made by the CLI" product_admin n1
in1() { lab_in n1 "$@"; }
address=$(lab_address n1)
ok "vmbr0 is there" wait_for 10 in1 ip link show dev vmbr0

tap 200 client n1 proxmoxer_network.py "$address" 10.99.0.1 10.99.0.150
# from here on the address is on vmbr1

state() {
	in1 sh -c 'ip -o -4 address | awk "{print \$2, \$4}"; ip -4 route | sed "s/ *\$//"
		ip -o link | sed -n "s/^[0-9]*: \([^@:]*\).* mtu \([0-9]*\) .* master \([^ ]*\) .*/\1 \2 \3/p"' | grep -v vmbr0 | sort
}
is_state() { is "$1" "$(state)"; }
set_to() { # set_to ADDRESS: stages it
	in1 lodge put /nodes/n1/network/vmbr1 --type bridge --bridge_ports eth0 --cidr "$1/24" --gateway 10.99.0.1 --autostart 1
}
apply() { in1 lodge put /nodes/n1/network --no-wait "$@"; }
has() { grep -q "$1" <<<"$2"; }
job_pid() { in1 pgrep -x -f '/usr/libexec/lodge/lodge-task netapply'; }
waits() { in1 test -e /run/lodge/network/waiting; }
idle() { # nothing under way, nothing to be undone
	in1 sh -c '! pgrep -f "^/usr/libexec/lodge/lodge-task netapply" && [ ! -e /run/lodge/network/snapshot ]'
}
core_pid() { in1 pgrep -x lodged; }
last_status() { in1 lodge get /nodes/n1/tasks --typefilter srvreload --source all --limit "${1:-1}"; }
says() { last_status "${2:-1}" | grep -q "$1"; }

first=$(state)
ok "an address on the bridge" has "vmbr1 $address/24" "$first"

# the host's own tools know the port as well
in1 sh -c 'mkdir -p /etc/network && echo "iface eth0 inet dhcp" >/etc/network/interfaces'

# nobody confirms
set_to 10.99.0.150
apply --confirm-timeout 2 >/dev/null
ok "it waits" wait_for 10 waits
second=$(state)
ok "with the new address" has 'vmbr1 10.99.0.150/24' "$second"
ok "a second change is refused meanwhile" not apply
ok "without an answer it goes back" wait_for 15 idle
ok "to what was" is_state "$first"
ok "its task says why" says "nobody confirmed"
task_log() { in1 lodge get "/nodes/n1/tasks/$(last_status | grep -o 'UPID:[^"]*' | head -1)/log"; }
names_other() { task_log | grep -q "interfaces sets 'eth0' up as well"; }
ok "and who else sets the port up" names_other

# the core dies while it waits: the job holds the clock, and is still heard
apply --confirm-timeout 6 >/dev/null
wait_for 10 waits
in1 kill -9 "$(core_pid)"
ok "a dead core: the job goes back by itself" wait_for 20 idle
ok "to what was" is_state "$first"
wait_for 20 api_answers n1
apply --confirm-timeout 60 >/dev/null
wait_for 10 waits
in1 kill -9 "$(core_pid)"
wait_for 20 api_answers n1
ok "the next core passes the confirmation on" in1 lodge post /nodes/n1/network/confirm
ok "it ends" wait_for 15 idle
ok "with the new state" is_state "$second"
ok "which is stored" in1 grep -q 'cidr 10.99.0.150/24' /etc/lodge/network/interfaces
set_to "$address"
apply --confirm-timeout 0 >/dev/null
ok "and back, without being asked" wait_for 15 is_state "$first"

# the job dies while it waits
set_to 10.99.0.150
apply --confirm-timeout 60 >/dev/null
wait_for 10 waits
in1 kill -9 "$(job_pid)"
ok "a killed job is undone" wait_for 15 is_state "$first"
ok "nothing is left of it" wait_for 10 idle
# stopped by the administrator
upid=$(apply --confirm-timeout 60 | grep -o 'UPID:[^"]*')
wait_for 10 waits
in1 lodge task stop "$upid"
ok "a stopped one goes back" wait_for 15 is_state "$first"
wait_for 10 idle

# both die
apply --confirm-timeout 60 >/dev/null
wait_for 10 waits
in1 kill -9 "$(core_pid)" "$(job_pid)"
ok "the next core undoes it" wait_for 30 is_state "$first"
ok "nothing is left of it" wait_for 10 idle
wait_for 20 api_answers n1

# killed at any moment
old=0 new=0 bad=0 now=$first
for ((i = 0; i < rounds; i++)); do
	[ "$now" = "$first" ] && wanted=$second target=10.99.0.150 || wanted=$first target=$address
	set_to "$target"
	apply --confirm-timeout 0 >/dev/null
	pause "0.$(printf %03d $((RANDOM % 250)))"
	pid=$(job_pid)
	[ -z "$pid" ] || in1 kill -9 $pid 2>/dev/null
	[ $((i % 3)) != 0 ] || in1 kill -9 "$(core_pid)" 2>/dev/null
	wait_for 20 api_answers n1
	wait_for 20 idle
	got=$(state)
	case $got in
	"$wanted") new=$((new + 1)) ;;
	"$now") old=$((old + 1)) ;;
	*) bad=$((bad + 1)); echo "# neither old nor new: $got" ;;
	esac
	now=$got
	stored=$(in1 grep -o 'cidr [0-9.]*' /etc/lodge/network/interfaces | cut -d' ' -f2)
	grep -q "vmbr1 $stored/24" <<<"$got" || { bad=$((bad + 1)); echo "# stored $stored, got $got"; }
	[ $bad = 0 ] || break
done
echo "# $rounds rounds: $old old, $new new, $bad others"
ok "killed at any moment: the old state or the new" [ $bad = 0 ]
ok "both were seen" [ $old -gt 0 -a $new -gt 0 ]

# the command line
prints() { # prints PATTERN COMMAND…
	local pattern=$1 out
	shift
	out=$("$@" 2>&1)
	grep -qE -e "$pattern" <<<"$out" || { echo "no '$pattern' in: $out"; return 1; }
}
lodge() { in1 lodge network "$@"; }
ok "lodge network" prints '^vmbr1 +bridge +10\.99\.0\.[0-9]+/24 +10\.99\.0\.1 .*lodge' lodge
ok "lodge network set" lodge set vmbr7 --cidr 10.7.0.1/24
ok "the list shows what waits" prints '^\+bridge: vmbr7' lodge list
ok "lodge network revert" lodge revert
ok "nothing waits" not prints 'not applied' lodge list
lodge set vmbr7 --cidr 10.7.0.1/24
ok "lodge network apply" prints 'TASK OK' lodge apply
ok "it is there" in1 ip link show dev vmbr7
ok "set changes what it is told" lodge set vmbr7 --comments hello
ok "and no more" prints '"cidr": *"10.7.0.1/24"' in1 lodge get /nodes/n1/network/vmbr7
ok "lodge network apply --yes" prints 'TASK OK' lodge apply --yes
ok "lodge network remove" lodge remove vmbr7
ok "what had an address asks for a confirmation" prints 'waiting 1 s for .lodge network confirm' lodge apply --confirm-timeout 1
ok "applied" prints 'TASK OK' lodge apply --yes
ok "it is gone" not in1 ip link show dev vmbr7
ok "lodge network confirm, of nothing" not lodge confirm

# a power cut while it waits: what was confirmed last is what comes up
set_to "$address"
apply --confirm-timeout 0 >/dev/null
wait_for 15 is_state "$first"
wait_for 10 idle
set_to 10.99.0.160
apply --confirm-timeout 60 >/dev/null
wait_for 10 waits
lab_kill n1
lab_start n1
product_up n1
ok "after a boot the confirmed configuration is back" wait_for 15 is_state "$first"
ok "the change is still staged" in1 grep -q 'cidr 10.99.0.160/24' /etc/lodge/network/interfaces.new
in1 lodge delete /nodes/n1/network

# a port that a boot does not find: the rest is set up, and the log says what is missing
set_to "$address"
in1 sed -i 's/bridge_ports eth0/bridge_ports eth0 eth9/' /etc/lodge/network/interfaces
lab_kill n1
lab_start n1
product_up n1
ok "a boot without one of the ports" wait_for 15 is_state "$first"
ok "is told" wait_for 10 in1 grep -q "port 'eth9' of 'vmbr1' does not exist" /var/log/lodge/lodged.log
lab_stop_all
ok "nothing is left on the host" lab_residue_after
