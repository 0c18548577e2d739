#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Containers that end by themselves: what they wrote last is in the copies that are made at once; scripts of the node that take
# long; restarts from inside.
. "$(dirname "$(readlink -f "$0")")/ct_lib.sh"
stub_core
busybox_template
mkdir "$lab/other"
printf 'dir: other\n\tpath %s/other\n\tcontent rootdir,images\n' "$lab" >>"$store/storage.cfg"
mkdir -p "$LODGE_STATE_DIR/local/snippets"
sed -i 's/vztmpl,iso/vztmpl,iso,snippets/' "$store/storage.cfg"
# what follows the end takes until this says that it may go on
cat >"$LODGE_STATE_DIR/local/snippets/slow.sh" <<-END
	#!/bin/sh
	[ "\$2" = post-stop ] || exit 0
	: >"$lab/begun"
	while [ ! -e "$lab/go" ]; do sleep 0.1; done
END
chmod 755 "$LODGE_STATE_DIR/local/snippets/slow.sh"
stopped() { grep -q "vmid=$1 kind=lxc state=stopped" "$states"; }

# an init that writes, and exits with all of it in memory
mkdir -p "$lab/busybox/etc" && rm "$lab/busybox/sbin/init"
cat >"$lab/busybox/sbin/init" <<-'END'
	#!/bin/sh
	until [ -e /go ]; do sleep 0.1; done
	for i in 0 1 2 3 4 5 6 7; do head -c 25000000 /dev/zero >/data$i; done
	echo last >/last
END
chmod 755 "$lab/busybox/sbin/init"
ln -sf busybox "$lab/busybox/bin/head"
tar -C "$lab/busybox" --numeric-owner --owner=0 --group=0 -czf "$LODGE_STATE_DIR/local/template/cache/writer.tar.gz" .
last_of() { debugfs -R 'cat last' "$1" 2>/dev/null; }
size_of() { debugfs -R 'stat data7' "$1" 2>/dev/null | grep -o 'Size: [0-9]*' | head -n1; }
printf 'hostname: w\nlock: create\nmemory: 512\nhookscript: local:snippets/slow.sh\nswap: 0\nunprivileged: 1\n' | put_conf 401
ok "create" job vzcreate 401 ostemplate=local:vztmpl/writer.tar.gz rootfs=local:1
ok "start" job vzstart 401
inside 401 /bin/sh -c ': >/go'
ok "it ends by itself" wait_for 60 test -e "$lab/begun"
pid=$(job --background vzmove 401 volume=rootfs storage=other delete=1)
waits() { grep -rq "waiting for the end of CT 401" "$LODGE_STATE_DIR/tasks"; }
ok "who wants to move its volume waits for what follows" wait_for 20 waits
: >"$lab/go"
ok "and moves it" wait_for 60 test ! -e "/proc/$pid"
image=$lab/other/images/$(sed -n 's/^rootfs: other:\([^,]*\).*/\1/p' "$(conf 401)")
ok "the original is gone" not test -e "$LODGE_STATE_DIR/local/images/401/vm-401-disk-0.raw"
ok "what it wrote last is in the copy" is last "$(last_of "$image")"
ok "as is all the rest" is 'Size: 25000000' "$(size_of "$image")"
ok "its file system is whole" e2fsck -f -n "$image"
ok "destroy" job vzdestroy 401
ok "nothing left" clean_behind 401

# a restart from inside, while a script of the node takes long
printf 'hostname: r\nlock: create\nmemory: 64\nhookscript: local:snippets/slow.sh\nswap: 0\nunprivileged: 1\n' | put_conf 402
rm "$lab/go" "$lab/begun"
ok "create" job vzcreate 402 ostemplate=local:vztmpl/busybox.tar.gz rootfs=local:0.1
ok "start" job vzstart 402
first=$(pid_of 402)
: >"$states"
inside 402 /bin/reboot
ok "it ends, and the script begins" wait_for 20 test -e "$lab/begun"
ok "nobody is told to start it yet" not stopped 402
pid=$(job --background vzstart 402)
waits() { grep -rq "waiting for the end of CT 402" "$LODGE_STATE_DIR/tasks"; }
ok "a start waits" wait_for 20 waits
ok "longer than for a volume that is in use" not wait_for 12 test ! -e "/proc/$pid"
: >"$lab/go"
ok "then it comes to its end" wait_for 60 test ! -e "/proc/$pid"
ok "the core was told that it reboots" grep -q 'vmid=402 kind=lxc state=stopped target=reboot' "$states"
ok "it runs" inside 402 true
ok "as another one" not is "$first" "$(pid_of 402)"
rm "$lab/go" "$lab/begun"
pid=$(job --background vzstop 402)
ok "a stop begins the script" wait_for 20 test -e "$lab/begun"
monitor=$(pgrep -f "\[lxc monitor\] $LODGE_RUN_DIR/ct 402")
ok "its monitor is there" test -n "$monitor"
ok "and is left alone as long as that runs" not wait_for 32 test ! -e "/proc/$monitor"
: >"$lab/go"
ok "the stop comes to its end" wait_for 60 test ! -e "/proc/$pid"
ok "by itself" not grep -rq 'ended by force' "$LODGE_STATE_DIR/tasks"
ok "nothing left" clean_behind 402
ok "destroy" job vzdestroy 402
