#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A systemd Debian, unprivileged and privileged, on a bridge of our own with a static address.
needs_debian=1
. "$(dirname "$(readlink -f "$0")")/ct_lib.sh"
stub_core
if ! debian_template; then
	skip "Debian in a container" "no Debian template could be made: $debian_reason"
	exit
fi
ip link add vmbr0 type bridge
ip addr add 10.77.0.1/24 dev vmbr0
ip link set vmbr0 up

running() { # systemd inside is up, all units fine
	[ "$(inside "$1" systemctl is-system-running 2>&1)" = running ] && return
	inside "$1" systemctl --failed --no-legend
	inside "$1" systemctl list-jobs --no-legend
	return 1
}

answers() { # who refuses a connection is there; the host may have no ping
	python3 - "$1" <<-'END'
		import errno, socket, sys
		s = socket.socket()
		s.settimeout(1)
		sys.exit(s.connect_ex((sys.argv[1], 1)) != errno.ECONNREFUSED)
	END
}

for unprivileged in 1 0; do
	id=20$unprivileged
	put_conf $id <<-END
		arch: amd64
		hostname: deb$unprivileged
		lock: create
		memory: 512
		nameserver: 10.77.0.1
		net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:02:0$unprivileged,ip=10.77.0.$id/24,gw=10.77.0.1,type=veth
		searchdomain: lab.example
		swap: 0
		unprivileged: $unprivileged
	END
	ok "create $id and start it (unprivileged $unprivileged)" \
		job vzcreate $id ostemplate=local:vztmpl/debian.tar.zst rootfs=local:2 password=pw start=1
	ok "systemd is up" wait_for 30 running $id
	ok "hostname" [ "$(inside $id cat /proc/sys/kernel/hostname)" = deb$unprivileged ]
	ok "hosts" inside $id grep -qx "127.0.1.1 deb$unprivileged.lab.example deb$unprivileged" /etc/hosts
	ok "resolv.conf" inside $id grep -qx "nameserver 10.77.0.1" /etc/resolv.conf
	ok "machine-id is its own" inside $id grep -Eqx '[0-9a-f]{32}' /etc/machine-id
	ok "veth on the bridge" bash -c "ip -o link show veth${id}i0 | grep -q 'master vmbr0'"
	ok "its address answers" wait_for 15 answers 10.77.0.$id
	ok "its mac" inside $id grep -qi "bc:24:11:00:02:0$unprivileged" /sys/class/net/eth0/address
	ok "ping works for a user" inside $id setpriv --reuid=65534 --clear-groups ping -c1 -W2 10.77.0.1
	inside $id sh -c "echo 'nobody ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/lab"
	ok "sudo works for a user" \
		[ "$(inside $id setpriv --reuid=65534 --clear-groups sudo -n id -u 2>&1)" = 0 ]
	ok "su works for a user that root becomes" \
		[ "$(inside $id su -s /bin/sh nobody -c 'id -u' 2>&1)" = 65534 ]
	ok "/ is not nosuid" bash -c "! grep ' / / ' /proc/$(pid_of $id)/mountinfo | grep -q nosuid"
	old=$(pid_of $id)
	: >"$states"
	inside $id systemctl reboot >/dev/null 2>&1
	ok "reboot inside tells the core" wait_for 30 grep -q "vmid=$id .*target=reboot" "$states"
	ok "start again" job vzstart $id
	ok "shutdown" job vzshutdown $id timeout=40
	ok "nothing left" clean_behind $id
	sed -i "s/^net0:.*/&,link_down=1/" "$(conf $id)"
	ok "start with link_down" job vzstart $id
	ok "the link is down" bash -c "ip -o link show veth${id}i0 | grep -vq LOWER_UP"
	ok "destroy by force" job vzdestroy $id force=1
	ok "nothing left by destroy" clean_behind $id
	ok "no volume" not test -e "$LODGE_STATE_DIR/local/images/$id"
done

# a create that is cancelled while it unpacks
printf 'hostname: c\nlock: create\nunprivileged: 1\n' | put_conf 202
pid=$(job --background vzcreate 202 ostemplate=local:vztmpl/debian.tar.zst rootfs=local:2)
wait_for 30 bash -c "losetup -nO BACK-FILE | grep -q $lab"
kill "$pid"
ok "a cancelled create ends" wait_for 10 not kill -0 "$pid"
ok "its status says so" grep -rq "interrupted by signal" "$LODGE_STATE_DIR"/tasks/ --include=*.status
ok "nothing left by it" clean_behind 202
ok "no config, no volume" not test -e "$(conf 202)" -o -e "$LODGE_STATE_DIR/local/images/202"
