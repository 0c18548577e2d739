#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Killed jobs, killed monitors, cancelled jobs, a queue, descriptors of the monitor, init that fails.
. "$(dirname "$(readlink -f "$0")")/ct_lib.sh"
stub_core
busybox_template
new() { # new VMID: a created container
	printf 'hostname: f\nlock: create\nmemory: 64\nswap: 0\nunprivileged: 1\n' | put_conf "$1"
	job vzcreate "$1" ostemplate=local:vztmpl/busybox.tar.gz rootfs=local:0.1
}
monitor_of() { awk '/^PPid/ {print $2}' "/proc/$(pid_of "$1")/status"; }
gone() { not kill -0 "$1"; }

ok "create" new 301
job vzstart 301 >"$lab/start.log"
mon=$(monitor_of 301)
ok "the monitor holds no file of the state folder but its own log" bash -c \
	"! ls -l /proc/$mon/fd | grep -E '$LODGE_STATE_DIR|$lab/start.log|pipe:.*$$'"
ok "its standard streams are /dev/null" bash -c \
	"[ \"\$(readlink /proc/$mon/fd/{0,1,2} | sort -u)\" = /dev/null ]"
ok "it is in a session of its own" bash -c "[ \$(ps -o sid= -p $mon) -ne $$ ]"

kill -9 "$mon"
ok "init dies with its monitor" wait_for 5 gone "$mon"
ok "start after a killed monitor" job vzstart 301
ok "it runs" inside 301 true
kill -STOP "$(monitor_of 301)"
ok "stop of one whose monitor hangs" job vzstop 301
ok "the core was told" grep -q 'vmid=301 kind=lxc state=stopped' "$states"
ok "nothing left" clean_behind 301

# a file system that a tool tore when it was cut short
image=$LODGE_STATE_DIR/local/images/301/vm-301-disk-0.raw
is_whole() { e2fsck -f -n "$image" >/dev/null 2>&1; }
tear() {
	local size
	e2fsck -f -p "$image"
	size=$(stat -c %s "$image")
	truncate -s +128M "$image"
	! prlimit --fsize="$size" resize2fs "$image" && not is_whole
} >/dev/null 2>&1
ok "its image is there and whole" is_whole
ok "torn" tear
job vzstart 301 >"$lab/start.log"
ok "start says that it repaired it" grep -q 'WARN: the file system of vm-301-disk-0.raw had errors, which were repaired' "$lab/start.log"
ok "stop" job vzstop 301
ok "it is whole" is_whole
ok "torn again" tear
job vzresize 301 disk=rootfs size="$(stat -c %s "$image")" >"$lab/resize.log"
ok "growing it repairs it as well" grep -q 'WARN: the file system had errors, which were repaired' "$lab/resize.log"
ok "it is whole again" is_whole
ok "and has all of it" is "$(stat -c %s "$image")" \
	"$(dumpe2fs -h "$image" 2>/dev/null | awk '/^Block count/ { n = $3 } /^Block size/ { s = $3 } END { print n * s }')"

# a queue: the job waits for the one before it and says so
sleep 3 &
sleeper=$!
start=$(awk '{print $22}' /proc/$sleeper/stat)
after=$(printf 'UPID:lab:%08X:%08X:%08X:vzstop:301:root@pam:' $sleeper "$start" "$(date +%s)")
job vzstart 301 "after=$after" >"$lab/queue.log"
ok "the log says what it waits for" grep -qF "waiting for task $after" "$lab/queue.log"
ok "the one before is gone by then" gone $sleeper
ok "stop" job vzstop 301

# cancelling
sleep 100 &
sleeper=$!
start=$(awk '{print $22}' /proc/$sleeper/stat)
after=$(printf 'UPID:lab:%08X:%08X:%08X:vzstop:301:root@pam:' $sleeper "$start" "$(date +%s)")
pid=$(job --background vzstart 301 "after=$after")
wait_for 10 grep -rqF "waiting for task $after" "$LODGE_STATE_DIR/tasks"
kill "$pid"
ok "a cancelled job ends" wait_for 5 gone "$pid"
ok "its status says so" grep -rq "interrupted by signal" "$LODGE_STATE_DIR"/tasks/ --include=*.status
# what was done for this one before it began is undone by the core, which sees that it left no status
printf 'hostname: k\nlock: create\nunprivileged: 1\n' | put_conf 303
pid=$(job --background vzcreate 303 "after=$after" undo=vzcreate-undo ostemplate=local:vztmpl/busybox.tar.gz rootfs=local:0.1)
wait_for 10 grep -rlqF "waiting for task $after" "$LODGE_STATE_DIR/tasks" --include=*vzcreate:303:*
kill "$pid"
ok "one that has an undo ends, too" wait_for 5 gone "$pid"
ok "without a status" not ls "$LODGE_STATE_DIR"/tasks/*/*vzcreate:303:*.status
rm -f "$(conf 303)"
kill $sleeper

# SIGKILL at each step of create: undo leaves nothing
use_steps
for step in call:1 call:2 call:3 call:4 call:5 mkfs unpack call:6 call:7; do
	printf 'hostname: k\nlock: create\nunprivileged: 1\n' | put_conf 302
	ok "a create is killed at $step" \
		kill_at $step vzcreate 302 ostemplate=local:vztmpl/busybox.tar.gz rootfs=local:0.1
	if grep -q lock "$(conf 302)"; then
		ok "undo of a create killed at $step" job vzcreate-undo 302
	else
		ok "destroy of one that was ready at $step" job vzdestroy 302
	fi
	ok "nothing left of it" bash -c "! test -e $(conf 302) && ! ls $LODGE_STATE_DIR/local/images/302"
	ok "no mount, no loop" clean_behind 302
done

# SIGKILL at each step of start: afterwards it runs or not, and both can be dealt with
for step in call:1 call:2 start-host call:3; do
	ok "a start is killed at $step" kill_at $step vzstart 301
	job vzstop 301 >/dev/null
	ok "start after a start killed at $step" job vzstart 301
	ok "stop" job vzstop 301
	ok "nothing left" clean_behind 301
done
job vzstart 301 >/dev/null
ok "a stop is killed while the end is noted" kill_at post-stop vzstop 301
ok "start after a killed stop" job vzstart 301
ok "stop" job vzstop 301
ok "nothing left" clean_behind 301

# the monitor is a fork of the job that starts it, and stays
printf 'hostname: s\nlock: create\nmemory: 64\nunprivileged: 1\n' | put_conf 305
ok "create with a password and start" job vzcreate 305 ostemplate=local:vztmpl/busybox.tar.gz \
	rootfs=local:0.1 password=Xyzzy-Plugh-7 start=1
in_memory_of() { # in_memory_of PID TEXT…: which of them its writable memory holds
	python3 - "$@" <<-'END'
		import re, sys
		pid, texts, found = sys.argv[1], sys.argv[2:], set()
		with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as mem:
		    for line in maps:
		        start, end, mode = re.match(r'(\w+)-(\w+) (\S+)', line).groups()
		        start, end = int(start, 16), int(end, 16)
		        if not mode.startswith('rw') or end - start > 1 << 28:  # a sanitizer's shadow
		            continue
		        try:
		            mem.seek(start)
		            data = mem.read(end - start)
		        except OSError:
		            continue
		        found |= {t for t in texts if t.encode() in data}
		print(*sorted(found))
	END
}
ok "its monitor knows its settings, and not the password" \
	[ "$(in_memory_of "$(monitor_of 305)" Xyzzy-Plugh-7 "LODGE_RUN_DIR=$LODGE_RUN_DIR")" = "LODGE_RUN_DIR=$LODGE_RUN_DIR" ]
ok "destroy by force" job vzdestroy 305 force=1

# a root without init
printf 'hostname: n\nlock: create\nmemory: 64\nunprivileged: 1\n' | put_conf 303
mkdir -p "$lab/empty/etc" && tar -C "$lab/empty" -czf "$LODGE_STATE_DIR/local/template/cache/empty.tar.gz" .
ok "create without init" job vzcreate 303 ostemplate=local:vztmpl/empty.tar.gz rootfs=local:0.1
ok "start names the reason" job_fails 'init' vzstart 303
ok "nothing left by it" clean_behind 303

# links that lead out of the root
mkdir -p "$lab/evil/sbin" "$lab/outside"
ln -s "$lab/outside" "$lab/evil/etc"
ln -s "$lab/outside" "$lab/evil/root"
ln -s ../bin/busybox "$lab/evil/sbin/init"
tar -C "$lab/evil" -czf "$LODGE_STATE_DIR/local/template/cache/evil.tar.gz" .
printf 'hostname: e\nlock: create\nnameserver: 1.1.1.1\nunprivileged: 1\n' | put_conf 304
job vzcreate 304 ostemplate=local:vztmpl/evil.tar.gz rootfs=local:0.1 password=x ssh-public-keys=k >"$lab/evil.log"
ok "a link out of the root reaches nothing" bash -c "[ -z \"\$(ls -A $lab/outside)\" ]"
ok "nothing left by it" clean_behind 304
