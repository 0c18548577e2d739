#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Life of an unprivileged busybox container: create, start, stop, shutdown, reboot, destroy, errors.
. "$(dirname "$(readlink -f "$0")")/ct_lib.sh"
stub_core
busybox_template

put_conf 101 <<-END
	arch: amd64
	cores: 1
	hostname: bb
	lock: create
	memory: 64
	swap: 0
	unprivileged: 1
END
ok "create" job vzcreate 101 ostemplate=local:vztmpl/busybox.tar.gz rootfs=local:0.1 \
	password=secret "ssh-public-keys=ssh-ed25519 AAAA test"
ok "the config has a volume" grep -qx 'rootfs: local:101/vm-101-disk-0.raw,size=[0-9]*M' "$(conf 101)"
ok "the lock is gone" not grep -q lock "$(conf 101)"
ok "log and status have their names" bash -c 'ls '"$LODGE_STATE_DIR"'/tasks/?/UPID:lab:*:vzcreate:101:root@pam: &&
	grep -q "OK$" '"$LODGE_STATE_DIR"'/tasks/?/UPID:*.status'
ok "no secret in the run record" not grep -rq secret "$LODGE_RUN_DIR/jobs"
ok "nothing left by create" clean_behind 101

ok "start" job vzstart 101
ok "a second start is refused" job_fails "CT 101 already running" vzstart 101
ok "the first still runs" inside 101 true
ok "the core was told" grep -q 'vmid=101 kind=lxc state=running pid=' "$states"
ok "hostname" [ "$(inside 101 hostname)" = bb ]
ok "root inside is 100000 outside" [ "$(stat -c %u /proc/"$(pid_of 101)")" = 100000 ]
ok "root owns the files inside" [ "$(inside 101 stat -c %u /etc/passwd)" = 0 ]
ok "setuid works inside" bash -c '! grep " / / " /proc/'"$(pid_of 101)"'/mountinfo | grep -q nosuid'
ok "no host network inside" [ "$(inside 101 ip -o link | wc -l)" = 1 ]
ok "the password is yescrypt" inside 101 grep -q '^root:\$y\$' /etc/shadow
ok "ssh key" inside 101 grep -q 'ssh-ed25519 AAAA test' /root/.ssh/authorized_keys
ok "other users keep their lines" inside 101 grep -q '^bin:\*:19000' /etc/shadow
ok "the host's mount table does not show it" not grep -q mnt/101 /proc/self/mountinfo
ok "memory limit" bash -c 'g=$(sed -n "s/^[0-9]*:memory://p" /proc/'"$(pid_of 101)"'/cgroup);
	[ "$(cat /sys/fs/cgroup/memory$g/memory.limit_in_bytes 2>/dev/null ||
	     cat /sys/fs/cgroup$(sed -n "s/^0:://p" /proc/'"$(pid_of 101)"'/cgroup)/memory.max)" = 67108864 ]'
ok "destroy of a running one is refused" job_fails "container is running" vzdestroy 101
ok "stop" job vzstop 101
ok "the core was told of the end" grep -q 'vmid=101 kind=lxc state=stopped target=stop' "$states"
ok "nothing left by stop" clean_behind 101
ok "a second stop is refused" job_fails "CT 101 not running" vzstop 101

sed -i 's/^memory:.*/memory: 64\n[PENDING]\nmemory: 96/' "$(conf 101)"
ok "start with a pending change" job vzstart 101
ok "pending is merged" bash -c 'grep -qx "memory: 96" '"$(conf 101)"' && ! grep -q PENDING '"$(conf 101)"
old=$(pid_of 101)
ok "reboot by job" job vzreboot 101 timeout=20
ok "it is another init" [ "$(pid_of 101)" != "$old" ]
: >"$states"
inside 101 reboot -f >/dev/null 2>&1
ok "a reboot inside ends it and tells the core" wait_for 10 grep -q 'state=stopped target=reboot' "$states"
ok "start again right after" job vzstart 101
ok "shutdown" job vzshutdown 101 timeout=20
ok "nothing left by shutdown" clean_behind 101

# errors leave no traces
sed -i 's/^hostname: bb/&\nnet0: name=eth0,bridge=nobridge,hwaddr=BC:24:11:00:00:01,type=veth/' "$(conf 101)"
ok "a missing bridge is a clear error" job_fails "net0: bridge 'nobridge' does not exist" vzstart 101
sed -i '/^net0/d' "$(conf 101)"
: >"$lab/subuid"
ok "missing id ranges name the fix" job_fails "add the line 'root:100000:65536' to /etc/subuid" vzstart 101
echo root:100000:65536 >"$lab/subuid"
ok "nothing left by failed starts" clean_behind 101

ok "destroy" job vzdestroy 101
ok "the config is gone" not test -e "$(conf 101)"
ok "the volume is gone" not test -e "$LODGE_STATE_DIR/local/images/101"

# creation that fails
printf 'lock: create\nunprivileged: 1\n' | put_conf 102
echo "no archive" >"$LODGE_STATE_DIR/local/template/cache/bad.tar.gz"
ok "a bad template is an error" job_fails "unpack template" vzcreate 102 \
	ostemplate=local:vztmpl/bad.tar.gz rootfs=local:0.1
ok "it left no config" not test -e "$(conf 102)"
ok "it left no volume" not test -e "$LODGE_STATE_DIR/local/images/102"
printf '%s\n' 'lock: create' 'unprivileged: 1' 'rootfs: local:102/vm-102-disk-0.raw,size=100M' \
	'mp0: local:102/vm-102-disk-1.raw,mp=/old,size=64M' '[special:create]' 'volume0: local:102/vm-102-disk-0.raw' | put_conf 102
mkdir -p "$LODGE_STATE_DIR/local/images/102" && truncate -s 100M "$LODGE_STATE_DIR/local/images/102/vm-102-disk-"{0,1}.raw
ok "undo" job vzcreate-undo 102
ok "undo left nothing" not test -e "$(conf 102)" -o -e "$LODGE_STATE_DIR/local/images/102/vm-102-disk-0.raw"
ok "but what was there before" test -e "$LODGE_STATE_DIR/local/images/102/vm-102-disk-1.raw"
rm -r "$LODGE_STATE_DIR/local/images/102"
ok "undo again is fine" job vzcreate-undo 102
printf 'unprivileged: 1\nrootfs: local:102/vm-102-disk-0.raw,size=100M\n' | put_conf 102
ok "undo spares a finished container" bash -c 'python3 '"$here"'/ct_job.py vzcreate-undo 102 && test -e '"$(conf 102)"
