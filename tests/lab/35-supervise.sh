#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lodge-supervise with small programs in place of the daemons, in a folder of its own: starts, restarts,
# back-off, logs, settings, and what it leaves alone.
# limit: 90
. "$(dirname "$(readlink -f "$0")")/lib.sh"
program=$build/systemd/supervise/lodge-supervise
[ -x "$program" ] || skip_all "no $program"
export LODGE_RUN_DIR=$LAB/run LODGE_LIBEXEC_DIR=$LAB/libexec LODGE_LOG_DIR=$LAB/log LODGE_CONF=$LAB/lodge.conf
export LODGE_STATE_DIR=$LAB/state LODGE_LIBVIRT_SBIN=$LAB/sbin LODGE_LIBVIRT_RUN=$LAB/libvirt
mkdir "$LAB/libexec" "$LAB/sbin" "$LAB/libvirt"
job='' others=''

# Each notes its start; what the file NAME.do says decides how it goes on.
for name in libexec/lodged libexec/lodge-monitor libexec/lodge-gate sbin/libvirtd sbin/virtlogd; do
	file=$LAB/$name name=${name#*/}
	cat >"$file" <<-END
		#!/bin/bash
		echo "\$EPOCHREALTIME \$\$ \${LODGE_PORT:-none} \${OTHER:-none}" >>"$LAB/$name.starts"
		echo "\$*" >"$LAB/$name.arguments"
		[ ! -e "$LAB/$name.do" ] || . "$LAB/$name.do"
		exec sleep infinity
	END
	chmod 755 "$file"
done

starts() { cat "$LAB/$1.starts" 2>/dev/null | wc -l; }
field() { tail -n 1 "$LAB/$1.starts" | cut -d' ' -f"$2"; } # of the last start
has_started() { [ "$(starts "$1")" -ge "$2" ]; }
supervise() { OTHER=x setpriv --pdeathsig KILL "$program" </dev/null >>"$LAB/own.log" 2>&1 & }
all_run() { "$program" status; }
is_gone() { not test -e "/proc/$1"; }
stop_supervisor() {
	"$program" stop >/dev/null 2>&1
	for pid in $job $others $(field virtlogd 2); do kill "$pid" 2>/dev/null; done
	finish
}
trap stop_supervisor EXIT

supervise
ok "starts the three daemons" wait_for 5 all_run
for name in lodged lodge-monitor lodge-gate; do wait_for 5 has_started $name 1; done
refuses_second() { not timeout 10 "$program" </dev/null && is 1 "$(starts lodged)"; }
ok "a second supervisor refuses" refuses_second
ok "no libvirtd that nobody asked for" is "0 0" "$(starts libvirtd) $(starts virtlogd)"
ok "the environment is not handed on" is none "$(field lodged 4)"

echo LODGE_PORT=9443 >"$LODGE_CONF"
restarted() {
	local at=$EPOCHREALTIME
	kill -KILL "$(field lodged 2)" && wait_for 5 has_started lodged 2 &&
		awk -v a="$at" -v b="$(field lodged 1)" 'BEGIN { print b - a " s"; exit b - a >= 1 }'
}
ok "a killed daemon is back within a second" restarted
ok "with the settings as they are now" is 9443 "$(field lodged 3)"
ok "the others were left alone" is "1 1" "$(starts lodge-monitor) $(starts lodge-gate)"

# 0.1, 0.2, 0.4, 0.8 s after one another: the fifth start not before 1.5 s
echo 'exit 7' >"$LAB/lodge-gate.do"
backs_off() {
	kill -KILL "$(field lodge-gate 2)" && wait_for 10 has_started lodge-gate 6 &&
		awk 'NR == 2 { a = $1 } NR == 6 { print $1 - a " s"; exit $1 - a < 1.4 || $1 - a > 5 }' \
			"$LAB/lodge-gate.starts"
}
ok "one that keeps failing is started less and less often" backs_off
ok "its end is logged" wait_for 5 grep -q 'lodge-gate.*status 7' "$LODGE_LOG_DIR/supervise.log"
rm "$LAB/lodge-gate.do"

echo 'head -c 26214400 /dev/zero | tr "\0" x | fold -w 1000; echo the end >&2; exec sleep infinity' >"$LAB/lodge-monitor.do"
kill -KILL "$(field lodge-monitor 2)"
is_bounded() {
	local file
	wait_for 20 grep -q 'the end' "$LODGE_LOG_DIR/lodge-monitor.log" || return
	for file in "$LODGE_LOG_DIR"/lodge-monitor.log{,.1}; do
		[ "$(stat -c %s "$file")" -le 10485760 ] || { ls -l "$LODGE_LOG_DIR"; return 1; }
	done
	is 2 "$(find "$LODGE_LOG_DIR" -name 'lodge-monitor.log*' | wc -l)"
}
ok "25 MiB of output leave two files of 10 MiB at most" is_bounded

# what a job is: a session of its own, started by the core
echo "setsid -f sh -c 'echo \$\$ >$LAB/job; exec sleep 300'; exec sleep infinity" >"$LAB/lodged.do"
kill -KILL "$(field lodged 2)"
wait_for 5 test -s "$LAB/job"
job=$(cat "$LAB/job")
daemon=$(field lodged 2)
wait_for 15 all_run
replaced() {
	kill -KILL "$(cat "$LODGE_RUN_DIR/supervise.pid")" && wait_for 5 not all_run || return
	test -e "/proc/$daemon" || { echo "the daemon went with its supervisor"; return 1; }
	supervise
	wait_for 10 is_gone "$daemon" && wait_for 10 all_run
}
ok "after SIGKILL of the supervisor a new one takes over" replaced
pids=$(field lodged 2)\ $(field lodge-monitor 2)\ $(field lodge-gate 2)
ok "stop" "$program" stop
all_gone() { for p in $pids; do is_gone "$p" || return; done; }
ok "ends the daemons" all_gone
ok "and nothing else" test -e "/proc/$job"
ok "status says so" not all_run
ok "stop again does nothing" "$program" stop

# ---- libvirt's daemons ----

rm -f "$LAB"/*.do
listens() { # listens NAME: as a daemon of the host would; its pid is in $others
	"$python" -c 'import socket, sys, signal
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); signal.pause()' "$LODGE_LIBVIRT_RUN/$1" &
	others="$others $!"
	wait_for 5 test -S "$LODGE_LIBVIRT_RUN/$1"
}
: >"$LAB/libvirtd.conf"
listens libvirt-sock
supervise
ok "with libvirtd.conf: virtlogd starts" wait_for 5 has_started virtlogd 1
leaves_it() { wait_for 5 all_run && "$program" status | grep "libvirtd .*this host's own" && is 0 "$(starts libvirtd)"; }
ok "a libvirtd of the host is left alone" leaves_it
for pid in $others; do kill "$pid"; wait "$pid"; done 2>/dev/null
ok "once that is gone, one starts" wait_for 15 has_started libvirtd 1
ok "with its configuration" is "--config $LAB/libvirtd.conf" "$(cat "$LAB/libvirtd.arguments")"
libvirtd_restarts() { kill -KILL "$(field libvirtd 2)" && wait_for 5 has_started libvirtd 2; }
ok "killed, it starts again" libvirtd_restarts
logger=$(field virtlogd 2)
ok "stop" "$program" stop
ok "ends libvirtd" is_gone "$(field libvirtd 2)"
ok "and leaves virtlogd to the machines" test -e "/proc/$logger"
supervise
ok "which is found again" wait_for 5 all_run
ok "and was not started anew" is "$logger 1" "$(field virtlogd 2) $(starts virtlogd)"
logger_restarts() { kill -KILL "$logger" && wait_for 5 has_started virtlogd 2; }
ok "killed, it is started anew" logger_restarts

if [ ! -e /dev/kvm ]; then
	skip "KVM that is not usable is hidden" "there is no /dev/kvm"
else
	verdict() { # verdict USABLE: as the test of KVM notes it
		printf 'usable: %s\ntested: 1\n' "$1" >"$LODGE_STATE_DIR/new" && mv "$LODGE_STATE_DIR/new" "$LODGE_STATE_DIR/kvm"
	}
	shows_kvm() { # does the running one see the device?
		local pid
		pid=$(field libvirtd 2)
		[ -c "/proc/$pid/root/dev/kvm" ] && [ "$(stat -Lc %t "/proc/$pid/root/dev/kvm")" = a ]
	}
	hides_kvm() { not shows_kvm && test -f "/proc/$(field libvirtd 2)/root/dev/kvm"; }
	ok "KVM that was never tested is hidden from libvirtd" hides_kvm
	qemu_conf() { grep -x "namespaces = \[\]" "/proc/$(field libvirtd 2)/root/etc/libvirt/qemu.conf"; }
	[ ! -e /etc/libvirt/qemu.conf ] || ok "with a qemu.conf that fits" qemu_conf
	ok "and from nobody else" test -c /dev/kvm
	n=$(starts libvirtd)
	verdict 1
	ok "found usable, libvirtd starts again" wait_for 5 has_started libvirtd $((n + 1))
	ok "and sees it" wait_for 5 shows_kvm
	verdict 1
	verdict 0
	ok "found not usable, once more" wait_for 5 has_started libvirtd $((n + 2))
	ok "and it is hidden" wait_for 5 hides_kvm
fi
ok "stop" "$program" stop
