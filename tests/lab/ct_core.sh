#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Containers through the real core and the CLI: create, start, reboot inside, a killed core, destroy.
# LODGE_LIBEXEC_DIR holds lodged, lodge-task, lodge-task-ct; LODGE is the CLI.
needs_debian=1
. "$(dirname "$(readlink -f "$0")")/ct_lib.sh"
lodge=${LODGE:-$LODGE_LIBEXEC_DIR/lodge}
busybox_template
start_core() {
	"$LODGE_LIBEXEC_DIR/lodged" >>"$lab/lodged.log" 2>&1 &
	core_pid=$!
	wait_for 10 "$lodge" get /version
}
node=$(hostname)
tasks() { "$lodge" get "/nodes/$node/tasks" --json; }
task_ended() { # task_ended TYPE STATUS: the newest task of that type
	tasks | python3 -c 'import json, sys
tasks = [t for t in json.load(sys.stdin) if t["type"] == sys.argv[1]]
print(tasks[:1])
sys.exit(not tasks or tasks[0].get("status") != sys.argv[2])' "$1" "$2"
}
is_new_init() { local now; now=$(pid_of 110) && [ -n "$now" ] && [ "$now" != "$1" ]; }

ok "the core starts" start_core
ok "create" "$lodge" create 110 --ostemplate local:vztmpl/busybox.tar.gz --rootfs local:0.1 \
	--hostname real --memory 64 --password secret12
ok "its task is OK" wait_for 20 task_ended vzcreate OK
ok "start" "$lodge" start 110
ok "its task is OK" wait_for 20 task_ended vzstart OK
ok "it runs" inside 110 true
ok "lists say so" wait_for 10 bash -c "$lodge ls | grep '^110 .*running'"

old=$(pid_of 110)
inside 110 reboot -f
ok "after a reboot inside it is started again" wait_for 15 is_new_init "$old"
wait_for 10 task_ended vzstart OK

kill -9 $core_pid
ok "a killed core does not touch it" inside 110 true
old=$(pid_of 110)
inside 110 reboot -f
ok "a reboot meanwhile waits in a spool file" wait_for 10 test -e "$LODGE_RUN_DIR/guests/110.stopped"
ok "the core starts again" start_core
ok "and starts the container" wait_for 15 is_new_init "$old"
ok "the spool file is gone" wait_for 5 not test -e "$LODGE_RUN_DIR/guests/110.stopped"

# the core dies in the middle of jobs, the job ends alone
"$lodge" post "/nodes/$node/lxc/110/status/reboot" >/dev/null 2>&1 &
wait_for 10 bash -c "ls $LODGE_RUN_DIR/jobs/*:vzreboot:110:*"
kill -9 $core_pid
start_core
ok "a job survives the core" wait_for 20 task_ended vzreboot OK
ok "no run record of a job is left" wait_for 5 bash -c "! ls -A $LODGE_RUN_DIR/jobs | grep -v '^\\.'"

# a killed create is undone by the core; the large template gives time to kill it
if debian_template; then
	"$lodge" post "/nodes/$node/lxc" --vmid 111 --ostemplate local:vztmpl/debian.tar.zst --rootfs local:1 \
		>/dev/null 2>&1 &
	find_job() { basename "$LODGE_RUN_DIR"/jobs/UPID:*:vzcreate:111:* | grep -v '[*]'; }
	wait_for 10 find_job
	job_pid=$((16#$(find_job | cut -d: -f3)))
	[ "$job_pid" -gt 1 ] && kill -9 "$job_pid"
	ok "the create was killed" wait_for 10 task_ended vzcreate "task died without a status (signal 9)"
	ok "a killed create is undone" wait_for 20 bash -c "! $lodge get /nodes/$node/lxc/111/config"
	ok "its volume is gone" wait_for 5 not test -e "$LODGE_STATE_DIR/local/images/111"
else
	skip "a killed create is undone" "no Debian template could be made: $debian_reason"
fi

ok "stop" "$lodge" stop 110
ok "destroy" "$lodge" destroy 110
ok "it is gone from the lists" wait_for 20 bash -c "! $lodge ls | grep '^110 '"
ok "nothing left" clean_behind 110
[ "$failed" = 0 ] || { sed 's/^/# /' "$lab/lodged.log"; tasks | sed 's/^/# /'; }
