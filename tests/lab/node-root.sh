# SPDX-License-Identifier: GPL-2.0-or-later
# What the root file systems of all lab nodes have. Sourced by their first processes (node-init.sh,
# systemd_init.sh), which set $name, $lab and $root; runs in the node's own namespaces.

bind() { mkdir -p "$root$2" && mount --bind "$1" "$root$2"; } # bind SOURCE TARGET
node() { mknod -m "${4:-666}" "$root/dev/$1" "$5" "$2" "$3"; } # node NAME MAJOR MINOR MODE TYPE

# /dev: what programs need, no kvm, no disks of the host
root_dev() {
	local i
	mount -t tmpfs -o mode=755 tmpfs "$root/dev"
	node null 1 3 666 c
	node zero 1 5 666 c
	node full 1 7 666 c
	node random 1 8 666 c
	node urandom 1 9 666 c
	node tty 5 0 666 c
	node fuse 10 229 666 c
	node loop-control 10 237 600 c
	mkdir "$root/dev/net" "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue"
	node net/tun 10 200 666 c
	for i in {0..63}; do node "loop$i" 7 "$i" 660 b; done
	mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$root/dev/pts"
	mount -t tmpfs -o mode=1777,size=1g tmpfs "$root/dev/shm"
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
	ln -s fd/0 "$root/dev/stdin"
	ln -s fd/1 "$root/dev/stdout"
	ln -s fd/2 "$root/dev/stderr"
}

# The same controllers as the host; the node's namespace shows its groups as their roots.
root_cgroups() {
	local groups=$root/sys/fs/cgroup c
	if [ -e /sys/fs/cgroup/cgroup.procs ]; then
		mount -t cgroup2 cgroup2 "$groups"
		return
	fi
	mount -t tmpfs -o mode=755 tmpfs "$groups"
	for c in /sys/fs/cgroup/*/; do
		c=${c%/} c=${c##*/}
		mkdir "$groups/$c"
		case $c in
		unified) mount -t cgroup2 cgroup2 "$groups/$c" ;;
		systemd) mount -t cgroup -o none,name=systemd cgroup "$groups/$c" ;;
		*) mount -t cgroup -o "$c" cgroup "$groups/$c" ;;
		esac
	done
}

# $root becomes /
root_enter() {
	mkdir -p "$root/.old"
	cd "$root"
	pivot_root . .old
	umount -l /.old
	cd /
	rmdir /.old 2>/dev/null || :
	hostname "$name"
	echo "$name" >/etc/hostname
	printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >/etc/hosts
}
