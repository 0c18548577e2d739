# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Volumes of a running container: growing, mount points that come and go; standing still.

size_of() { inside "$1" df -m "$2" | awk 'NR == 2 { print $2 }'; } # in MiB
frozen_is() { grep -qx "frozen $2" "$(group "$1")/cgroup.events"; }
mounts_of() { # of its init
	local pid
	pid=$(init_of "$1") && cat "/proc/$pid/mountinfo"
}
loops() { losetup -nO BACK-FILE; }
has_mounts() { says " /mnt/new " mounts_of "$1" && says " /mnt/shared " mounts_of "$1"; }
fills() { inside "$1" dd if=/dev/zero of=/fill bs=1M count="$2"; }

mkdir -p /srv/shared && echo data >/srv/shared/file
ok "a container" create 401
ok "start" lodge start 401
ok "resize: its root grows while it runs" lodge resize 401 rootfs +64M
ok "seen inside" between 105 128 "$(size_of 401 /)"
ok "in its configuration" says size=128M value 401 rootfs
ok "and it can be used" fills 401 80
ok "mp0: a new volume, hot" change 401 --mp0 local:0.0625,mp=/mnt/new
ok "root inside writes to it" inside 401 sh -c 'echo x >/mnt/new/f && [ "$(stat -c %u /mnt/new/f)" = 0 ]'
ok "resize: it grows, too" lodge resize 401 mp0 128M
ok "seen inside" between 105 128 "$(size_of 401 /mnt/new)"
ok "mp1: a folder of the node, hot" change 401 --mp1 /srv/shared,mp=/mnt/shared,ro=1
ok "its file is there" is data "$(inside 401 cat /mnt/shared/file)"
ok "read-only" fails_with "Read-only file system" inside 401 sh -c 'echo y >/mnt/shared/g'
ok "and root inside cannot change that" fails_with "Permission denied" inside 401 mount -o remount,bind,rw /mnt/shared
ok "both are mounts of its init" has_mounts 401
ok "unplug both" change 401 --delete mp0,mp1
ok "at once" lacks "waits for the next start" job_log 401 vzconfig
ok "they are gone" lacks ' /mnt/(new|shared) ' mounts_of 401
ok "nothing waits" settled 401
ok "its volume is kept" says vm-401-disk-1 value 401 unused0

ok "suspend" lodge suspend 401
ok "its processes are frozen" frozen_is 401 1
ok "it is shown" wait_for 5 state_is 401 paused
ok "exec in it is refused" fails_with "suspended" inside 401 true
ok "resume" lodge resume 401
ok "they go on" frozen_is 401 0
ok "all of them" inside 401 true
lodge suspend 401 >"$out" 2>&1
ok "it has loop devices" says /401/ loops
ok "stop of a suspended one" lodge stop 401
ok "no loop device of it is left" wait_for 20 lacks '/401/' loops

image=/var/lib/lodge/local/images/401/vm-401-disk-0.raw
is_whole() { e2fsck -f -n "$image"; }
killed_while_it_grows() { # in whatever step it is by then
	lodge resize 401 rootfs +512M >/dev/null 2>&1 &
	wait_for 10 pgrep -f 'lodge-task-ct vzresize' && pause "$1"
	pkill -KILL -f 'lodge-task-ct vzresize'
	wait
	wait_for 30 lacks running active_tasks && wait_for 20 lacks '/401/' loops && is_whole
}
active_tasks() { lodge get "/nodes/$node/tasks" --source active --json; }
torn() { # as a tool that died leaves it
	local size
	e2fsck -f -p "$image"
	size=$(stat -c %s "$image")
	truncate -s +256M "$image" && ! prlimit --fsize="$size" resize2fs "$image" && says "with errors" dumpe2fs -h "$image"
}
ok "resize: its root grows while it is stopped" lodge resize 401 rootfs +32M
ok "by the kernel" says "resized filesystem" dmesg
ok "no loop device of it is left by that" wait_for 20 lacks '/401/' loops
ok "it is whole" is_whole
for seconds in 0.01 0.05 0.2; do
	ok "killed after $seconds s: it is whole" killed_while_it_grows $seconds
done
ok "a second call" lodge resize 401 rootfs +32M
ok "a torn one" torn
ok "grows, too" lodge resize 401 rootfs 4G
ok "and was repaired" job_says 401 resize "were repaired"
ok "it is whole after that" is_whole
ok "and not marked any more" lacks "with errors" dumpe2fs -h "$image"
ok "torn once more" torn
ok "start of a torn one" lodge start 401
ok "it was repaired first" job_says 401 vzstart "were repaired"
ok "stop" lodge stop 401
ok "no loop device of it is left by this one" wait_for 20 lacks '/401/' loops
ok "it is whole again" is_whole
ok "start" lodge start 401
ok "it has it all" between 3700 4096 "$(size_of 401 /)"
ok "stop" lodge stop 401
ok "destroy" lodge destroy 401
ends volumes
