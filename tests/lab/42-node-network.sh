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

# nobody confirms: first with all the time in which to look at it
set_to 10.99.0.150
upid=$(apply --confirm-timeout 600 | grep -o 'UPID:[^"]*')
ok "it waits" wait_for 10 waits
second=$(state)
ok "with the new address" has 'vmbr1 10.99.0.150/24' "$second"
ok "a second change is refused meanwhile" not apply
in1 lodge task stop "$upid" >/dev/null
ok "stopped by the administrator it goes back" wait_for 15 idle
ok "to what was" is_state "$first"
apply --confirm-timeout 1 >/dev/null
ok "without an answer it goes back" wait_for 30 says "nobody confirmed"
ok "to what was" wait_for 15 is_state "$first"
wait_for 10 idle
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
# edited back while it waits: that is the next change, whatever comes of this one
apply --confirm-timeout 600 >/dev/null
wait_for 10 waits
set_to "$address"
in1 lodge post /nodes/n1/network/confirm
ok "confirmed after an edit back" wait_for 15 idle
ok "it is what was confirmed" is_state "$second"
staged() { in1 lodge network list | grep -q "$1"; }
ok "and the edit waits to be applied" staged "^+.*cidr $address/24"
apply --confirm-timeout 0 >/dev/null
ok "which it is" wait_for 15 is_state "$first"
wait_for 10 idle
set_to 10.99.0.150

# both die
apply --confirm-timeout 60 >/dev/null
wait_for 10 waits
in1 kill -9 "$(core_pid)" "$(job_pid)"
ok "the next core undoes it" wait_for 30 is_state "$first"
ok "nothing is left of it" wait_for 10 idle
wait_for 20 api_answers n1

# killed at any moment. The moments are sought around the one that decides: earlier ones after a new state was seen,
# later ones after the old, so that both are however fast this machine is.
old=0 new=0 bad=0 now=$first window=250
for ((i = 0; i < rounds || (i < 5 * rounds && (old == 0 || new == 0)); i++)); do
	[ "$now" = "$first" ] && wanted=$second target=10.99.0.150 || wanted=$first target=$address
	set_to "$target"
	apply --confirm-timeout 0 >/dev/null
	delay=$((RANDOM % window))
	pause "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
	pid=$(job_pid)
	[ -z "$pid" ] || in1 kill -9 $pid 2>/dev/null
	[ $((i % 3)) != 0 ] || in1 kill -9 "$(core_pid)" 2>/dev/null
	wait_for 20 api_answers n1
	wait_for 20 idle
	got=$(state)
	case $got in
	"$wanted") new=$((new + 1)) window=$((window * 2 / 3 + 10)) ;;
	"$now") old=$((old + 1)) window=$((window * 3 / 2)) ;;
	*) bad=$((bad + 1)); echo "# neither old nor new: $got" ;;
	esac
	now=$got
	stored=$(in1 grep -o 'cidr [0-9.]*' /etc/lodge/network/interfaces | cut -d' ' -f2)
	grep -q "vmbr1 $stored/24" <<<"$got" || { bad=$((bad + 1)); echo "# stored $stored, got $got"; }
	[ $bad = 0 ] || break
done
echo "# $i rounds: $old old, $new new, $bad others; up to $window ms in the end"
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
from() { # from ADDRESS COMMAND…: as somebody who is logged in from there
	in1 env SSH_CONNECTION="$1 50000 $(lab_address n1) 22" lodge network "${@:2}"
}
ok "lodge network" prints '^vmbr1 +bridge +10\.99\.0\.[0-9]+/24 +10\.99\.0\.1 .*lodge' lodge
ok "lodge network set" lodge set vmbr7 --cidr 10.7.0.1/24
ok "the list shows what waits" prints '^\+bridge: vmbr7' lodge list
ok "lodge network revert" lodge revert
ok "nothing waits" not prints 'not applied' lodge list
lodge set vmbr7 --cidr 10.7.0.1/24
asks='waiting 1 s for .lodge network confirm'
ok "what comes from nobody knows where asks for a confirmation" prints "$asks" lodge apply --confirm-timeout 1
ok "as does a network that the caller is in" prints "$asks" from 10.7.0.9 apply --confirm-timeout 1
ok "and by hand" prints "$asks" lodge apply --confirm-timeout 1 --peer 10.7.0.9
ok "not a word that is no address" prints 'peer' not lodge apply --peer nonsense
ok "lodge network apply, another network than the caller's" prints 'TASK OK' from 10.8.0.9 apply
ok "it is there" in1 ip link show dev vmbr7
ok "set changes what it is told" lodge set vmbr7 --comments hello
ok "and no more" prints '"cidr": *"10.7.0.1/24"' in1 lodge get /nodes/n1/network/vmbr7
ok "lodge network apply --yes" prints 'TASK OK' lodge apply --yes

# what depends on an address
routes_by() { in1 ip route show dev vmbr7; }
ok "routes by way of it" in1 sh -c 'ip route add 10.50.0.0/16 via 10.7.0.9 && ip route add 10.51.0.9 dev vmbr7 src 10.7.0.1'
lodge set vmbr7 --cidr 10.8.0.1/24
ok "another address" prints 'TASK OK' lodge apply --yes
ok "the routes went with the old one" not prints '10\.5[01]' routes_by
ok "the task's log names them" prints 'ip route del 10\.50\.0\.0/16 via 10\.7\.0\.9' task_log
lifetime() { in1 ip -o -4 address show dev vmbr7; }
in1 ip address change 10.8.0.1/24 dev vmbr7 valid_lft 600 preferred_lft 600
ok "an address with a lifetime" prints 'valid_lft [0-9]+sec' lifetime
ok "is configured" prints 'TASK OK' lodge apply --yes
ok "and has none any more" prints 'valid_lft forever preferred_lft forever' lifetime
mtu() { in1 cat /sys/class/net/vmbr7/mtu; }
lodge set vmbr7 --mtu 1400
ok "an MTU" prints 'TASK OK' lodge apply --yes
ok "is set" prints '^1400$' mtu
lodge set vmbr7 --delete mtu
ok "and taken away" prints 'TASK OK' lodge apply --yes
ok "with its value" prints '^1500$' mtu

# same address, same gateway, same bridge; and no way to it
lodge set vmbr1 --delete bridge_ports
before=$(state)
ok "a bridge that loses its uplink, unasked" prints 'gateway 10\.99\.0\.1 does not answer' not lodge apply --yes
ok "has it again" is_state "$before"
lodge revert

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
is_port() { in1 test -e "/sys/class/net/vmbr1/brif/$1"; }
in1 ip link add eth9 type veth peer name peer9
ok "a port that comes later is one" wait_for 20 is_port eth9
ok "and the boot is done" wait_for 10 in1 test -e /run/lodge/network/applied -a ! -e /run/lodge/network/missing
boot() { in1 /usr/libexec/lodge/lodge-task helper net-boot </dev/null; }
in1 ip link delete eth9
in1 rm /run/lodge/network/applied
boot >"$LAB/boot" &
booting=$!
ok "a boot that lacks it" wait_for 10 in1 test -e /run/lodge/network/missing
in1 ip link add late9 type veth peer name peer9
in1 ip link set late9 name eth9
ok "waits for its name" wait $booting
ok "and has nothing to say" is "" "$(cat "$LAB/boot")"
ok "it is a port" is_port eth9
lab_stop_all
ok "nothing is left on the host" lab_residue_after
