# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Limits on unified control groups: at start and while it runs, in the kernel's files; memory that is too little; ends
# that nobody asked for.

# Memory that cannot be dropped, only swapped out: a file on tmpfs.
fill() { # fill ID MEBIBYTES
	inside "$1" sh -c "mkdir -p /run/fill; mount -t tmpfs -o size=512m tmpfs /run/fill; dd if=/dev/zero of=/run/fill/f bs=1M count=$2"
}
has_memory_below() { # has_memory_below ID MEBIBYTES
	between 1 "$(mebibytes "$2")" "$(group "$1" memory.current)"
}
unfill() { inside "$1" umount /run/fill; }
cpus_of() { inside "$1" grep Cpus_allowed_list /proc/self/status | tr -dc '0-9,-'; }
kills_of() { sed -n 's/^oom_kill //p' "$(group "$1")/memory.events"; }
parent_of() { awk '/^PPid:/ { print $2 }' "/proc/$1/status"; }
is_gone() { # is_gone PID
	[ -n "$1" ] && [ ! -e "/proc/$1" ] || { echo "process '$1'"; tr '\0' ' ' <"/proc/$1/cmdline"; return 1; }
}
has_no_group() {
	local folder=/sys/fs/cgroup/lxc.payload.$1
	[ ! -e "$folder" ] || { find "$folder" -name cgroup.procs -exec tail -v {} +; return 1; }
}
reason_is() { is "$2" "$(current "$1" reason)"; }
has_end() { # has_end ID REASON: in the journal
	journalctl -q -u lodged -o cat | grep "guest $1 stopped: $2" || { journalctl -q -u lodged -o cat -n 5; return 1; }
}

ok "a container with all limits is made" create 101 --memory 96 --swap 32 --cores 1 --cpulimit 0.5 --cpuunits 77
ok "and starts" lodge start 101
ok "start: memory.max" is "$(mebibytes 96)" "$(group 101 memory.max)"
ok "start: memory.swap.max" is "$(mebibytes 32)" "$(group 101 memory.swap.max)"
ok "start: cpu.max" is "50000 100000" "$(group 101 cpu.max)"
ok "start: cpu.weight" is 77 "$(group 101 cpu.weight)"
ok "start: cpuset.cpus is one processor" is 1 "$(group 101 cpuset.cpus | tr ',-' '\n' | wc -l)"
ok "start: it sees one" is 1 "$(inside 101 nproc)"
ok "start: it can use that one only" is "$(group 101 cpuset.cpus)" "$(cpus_of 101)"
create 102 --cores 1 >"$out" 2>&1 && lodge start 102 >>"$out" 2>&1
ok "start: another one gets the other processor" differ "$(group 101 cpuset.cpus)" "$(group 102 cpuset.cpus)"
ok "start: memory without swap" is 0 "$(group 102 memory.swap.max)"
ok "start: no bound of time" is "max 100000" "$(group 102 cpu.max)"

ok "live: memory and swap" change 101 --memory 128 --swap 64
ok "live: memory.max" is "$(mebibytes 128)" "$(group 101 memory.max)"
ok "live: memory.swap.max" is "$(mebibytes 64)" "$(group 101 memory.swap.max)"
ok "live: seen inside" is 131072 "$(inside 101 awk '/^MemTotal/ { print $2 }' /proc/meminfo)"
ok "live: cpulimit, cpuunits" change 101 --cpulimit 1.5 --cpuunits 200
ok "live: cpu.max" is "150000 100000" "$(group 101 cpu.max)"
ok "live: cpu.weight" is 200 "$(group 101 cpu.weight)"
ok "live: two cores" change 101 --cores 2
ok "live: two" is 2 "$(inside 101 nproc)"
ok "live: one core" change 101 --cores 1
ok "live: one" is 1 "$(inside 101 nproc)"
ok "live: no bounds" change 101 --delete cores,cpulimit,cpuunits
ok "live: cpu.max is open" is "max 100000" "$(group 101 cpu.max)"
ok "live: cpu.weight is as for all" is 100 "$(group 101 cpu.weight)"
ok "live: all processors" is "$(nproc)" "$(inside 101 nproc)"
ok "live: nothing waits" settled 101

ok "swap: what memory does not take is swapped out" fill 101 150
ok "swap: it is in use" between "$(mebibytes 16)" "$(mebibytes 64)" "$(group 101 memory.swap.current)"
change 101 --memory 32 >"$out" 2>&1
ok "less memory than is in use waits, and says so" job_says 101 vzconfig "memory: waits for the next start: 1[0-9]* MiB of memory are in use"
ok "its limit is as before" is "$(mebibytes 128)" "$(group 101 memory.max)"
change 101 --revert memory >"$out" 2>&1
ok "swap: 0 while some is in use" change 101 --swap 0
ok "it is the limit" is 0 "$(group 101 memory.swap.max)"
ok "what stays is told" job_says 101 vzconfig "swap: [0-9]* MiB beyond the limit stay swapped out"
ok "nothing waits" settled 101
ok "what takes memory goes" unfill 101
ok "and is given back" wait_for 20 has_memory_below 101 48
ok "with less memory in use, less is taken" change 101 --memory 64
ok "and does not wait" lacks "waits for the next start" job_log 101 vzconfig
ok "it is the limit" is "$(mebibytes 64)" "$(group 101 memory.max)"

ok "a program that takes too much is killed" fails_with "" fill 101 100
ok "the container goes on" inside 101 true
ok "the kernel counts it" between 1 1000 "$(kills_of 101)"
echo 1 >"$(group 101)/memory.oom.group" # now with its init
fill 101 100 >"$out" 2>&1
ok "an end for want of memory is noticed" wait_for 10 state_is 101 stopped
ok "that is its reason" wait_for 30 reason_is 101 oom
ok "and in the log" has_end 101 oom
monitor=$(parent_of "$(init_of 102)")
ok "its group is there" test -d /sys/fs/cgroup/lxc.payload.102
kill -9 "$(init_of 102)"
ok "an end that nobody asked for is noticed" wait_for 5 state_is 102 stopped
ok "with its reason" wait_for 30 reason_is 102 killed
# AppArmor's parser takes the profile back before the group goes: ten seconds here, when much else is done
ok "its monitor ends" wait_for 60 is_gone "$monitor"
ok "nothing of it is left" has_no_group 102
ok "destroy" lodge destroy 102
ends limits
