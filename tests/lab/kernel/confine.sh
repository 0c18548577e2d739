# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What confines a container: AppArmor profiles, system calls, device rules; and what its features open.

has_profile() { # its own one, enforced; inside, where a namespace of profiles begins, it cannot be seen
	local text
	text=$(tr -d '\0' <"/proc/$(init_of "$1")/attr/current")
	[[ $text == "lxc-$1_"*"(enforce)" ]] || { echo "profile: $text"; return 1; }
}
probe() { # probe ID WORDS…: what it says, whether well or not
	inside "$1" probe "${@:2}"
	:
}
writes() { inside "$1" sh -c "echo -n '$3' >$2"; } # writes ID FILE TEXT
# Unprivileged ones see files of policies, in which there is nothing of the node's.
keeps_its_profile() {
	local what
	what=$(in_kernel | sed -n "s/^\(lxc-$1_.*\) (enforce)$/\1/p") && [ -n "$what" ] &&
		fails_with "sh: " writes "$1" /sys/kernel/security/apparmor/.remove "$what" && says "$what (enforce)" in_kernel
}
in_kernel() { cat /sys/kernel/security/apparmor/profiles; }
in_folder() { find /run/lodge/ct -mindepth 1 -name '20*' -not -path '*/mnt*'; }
has_profiles() { # of these containers, in the kernel and in our folder
	says "lxc-201_" in_kernel && says "/203" in_folder
}
no_profiles() { lacks '^lxc-20' in_kernel && prints_nothing in_folder; }
makes_no_way_in() { # makes_no_way_in ID TYPE MAJOR MINOR: the node can be made, and not opened
	inside "$1" mknod "/tmp/$3.$4" "$2" "$3" "$4" || return
	says "not permitted" probe_open "$1" "/tmp/$3.$4"
}
probe_open() { # probe_open ID FILE [rw]
	inside "$1" sh -c "exec 3<${3:+>}$2" || :
}

ok "unprivileged, without features" create 201
ok "unprivileged, with features and a device" create 202 --features nesting=1,keyctl=1,fuse=1 \
	--dev0 /dev/loop-control,deny-write=1,mode=0666
ok "privileged, with a device" create 203 --unprivileged 0 --dev0 /dev/loop-control
for id in 201 202 203; do
	lodge start $id >"$out.$id" 2>&1 &
done
wait
for id in 201 202 203; do
	ok "$id runs" state_is $id running
	ok "$id has an AppArmor profile of its own" has_profile $id
	ok "$id: sysrq is refused" fails_with "Read-only file system" writes $id /proc/sysrq-trigger h
	ok "$id: AppArmor's policy is out of reach" keeps_its_profile $id
	put_probe $id
	inside $id mkdir -p /mnt /mnt2
done

ok "their profiles are in the kernel and in our folder" has_profiles
ok "unprivileged: no keyctl" says "not implemented" probe 201 keyctl
ok "unprivileged: no FUSE" says "No such file" probe 201 fuse /mnt
ok "unprivileged: no device nodes" fails_with "not permitted" inside 201 mknod /tmp/null c 1 3
ok "unprivileged: root inside is not the node's" is 100000 "$(awk '/^Uid:/ { print $2 }' "/proc/$(init_of 201)/status")"

ok "keyctl=1: it is there" says ok probe 202 keyctl
ok "nesting=1: a further /proc" inside 202 unshare -m -p -f mount -t proc proc /proc
ok "fuse=1: a FUSE file system" says ok probe 202 fuse /mnt
ok "mknod=1 is refused" fails_with "mknod" change 202 --features nesting=1,mknod=1
ok "mount= is refused" fails_with "mount" change 202 --features mount=nfs
ok "dev0: it can be read" inside 202 sh -c 'exec 3</dev/loop-control'
ok "dev0: deny-write" says "not permitted" probe_open 202 /dev/loop-control rw

ok "privileged: keyctl is there" says ok probe 203 keyctl
ok "privileged: dev0 opens" inside 203 sh -c 'exec 3<>/dev/loop-control'
ok "privileged: no other one does" makes_no_way_in 203 c 10 229
ok "privileged: another one, while it runs" change 203 --dev1 /dev/fuse
ok "privileged: it opens" inside 203 sh -c 'exec 3<>/dev/fuse'
ok "privileged: by a node of its own as well" inside 203 sh -c 'exec 3<>/tmp/10.229'
ok "privileged: for reading only, while it runs" change 203 --dev1 /dev/fuse,deny-write=1
ok "privileged: it can be read" inside 203 sh -c 'exec 3</tmp/10.229'
ok "privileged: not written to" says "not permitted" probe_open 203 /tmp/10.229 rw
ok "privileged: and again" change 203 --dev1 /dev/fuse
ok "privileged: written to again" inside 203 sh -c 'exec 3<>/tmp/10.229'
ok "privileged: taken away while it runs" change 203 --delete dev1
ok "privileged: it does not open any more" says "not permitted" probe_open 203 /tmp/10.229
ok "privileged: for reading only, once more" change 203 --dev1 /dev/fuse,deny-write=1
ok "privileged: it can be read again" inside 203 sh -c 'exec 3</tmp/10.229'
ok "privileged: not written to again" says "not permitted" probe_open 203 /tmp/10.229 rw
ok "privileged: taken away again" change 203 --delete dev1
ok "privileged: it does not open again" says "not permitted" probe_open 203 /tmp/10.229
ok "privileged: the first one still does" inside 203 sh -c 'exec 3<>/dev/loop-control'
ok "privileged: nothing waits" settled 203
ok "unprivileged: one for reading only waits for rules" change 201 --dev0 /dev/fuse,deny-write=1
ok "unprivileged: and says why" job_says 201 vzconfig "decided at start"
ok "unprivileged: nothing waits any more" change 201 --revert dev0
ok "unprivileged, with rules: another one, while it runs" change 202 --dev1 /dev/mem,mode=0666
ok "unprivileged, with rules: taken away" change 202 --delete dev1
ok "unprivileged, with rules: nothing waits" settled 202
# shellcheck disable=SC2046
ok "privileged: the node's disk does not" makes_no_way_in 203 b $(tr : ' ' </sys/block/vda/dev)
ok "privileged: nor its memory" makes_no_way_in 203 c 1 1
ok "privileged: no file system of another kind" fails_with "Permission denied" inside 203 mount -t ramfs none /mnt
ok "stop" lodge stop 203
ok "with mount=" change 203 --features 'mount=ramfs;configfs'
ok "start" lodge start 203
ok "mount=: the first one may be mounted" inside 203 mount -t ramfs none /mnt
ok "mount=: the second one as well" inside 203 mount -t configfs none /mnt2
ok "mount=: others may not" fails_with "Permission denied" inside 203 mount -t tracefs none /mnt2
for id in 201 202 203; do
	lodge stop $id >"$out.$id" 2>&1 &
done
wait
ok "nothing of their profiles is left" wait_for 30 no_profiles
ends confine
