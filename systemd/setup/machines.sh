# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What virtual machines need: libvirtd, an ISO to start from, and the word whether KVM is usable. Sourced by
# quickstart.sh.
# shellcheck disable=SC2154

machines_conf=/etc/lodge/libvirtd.conf
machines_dropin=/etc/systemd/system/libvirtd.service.d/lodge-kvm.conf
machines_cache=/var/cache/lodge
machines_isos=/var/lib/lodge/local/template/iso
machines_autostart=/etc/libvirt/qemu/networks/autostart/default.xml
machines_pids=/run/libvirt/qemu # libvirtd keeps NAME.pid there

# A host that had libvirt keeps its ways.
machines_libvirt_is_ours() { [ "$(conf_get LODGE_OWNS_LIBVIRT)" = 1 ]; }
machines_libvirt_is_new=
machines_before_packages() {
	packages_is_installed libvirt-daemon-system || [ -x /usr/sbin/libvirtd ] || {
		machines_libvirt_is_new=1
		conf_put LODGE_OWNS_LIBVIRT 1
	}
}
# Debian does not start libvirt's own network by itself; should that change, it is off here all the same, until
# somebody switches it on.
machines_after_packages() {
	[ -z "$machines_libvirt_is_new" ] || rm -f "$machines_autostart"
}

machines_noted() { # machines_noted NAME: the process that the supervisor started under that name
	local pid start
	[ -f "$run/supervise/$1" ] || return
	read -r pid start <"$run/supervise/$1"
	[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] &&
		[ "$(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20)" = "$start" ] && echo "$pid"
}
# Processes of this host alone: those of containers, which it sees as well, are not its own.
machines_own() { # pids on stdin
	local pid
	while read -r pid; do
		[ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] || echo "$pid"
	done
}
# No grep -q at the end of such a pipe: it leaves early, which pipefail takes for a failure of the rest.
# shellcheck disable=SC2143
machines_has_others() { # a libvirtd at work that is not ours
	[ -n "$(pgrep -x 'libvirtd|virtqemud' 2>/dev/null | machines_own | grep -vx "$(machines_noted libvirtd || echo none)")" ]
}

# Without systemd: the supervisor starts libvirtd where it finds this file.
machines_configure() {
	! packages_has_systemd && [ ! -e $machines_conf ] || return 0
	if machines_has_others; then
		say "this host's own libvirtd is at work; it is used as it is"
		return
	fi
	mkdir -p "${machines_conf%/*}"
	cat >$machines_conf.new <<-END
		# libvirtd as lodge-supervise starts it; see /etc/libvirt/libvirtd.conf. Without this file it starts none.
		# Not every host has an id of its own to offer, and two nodes must not have the same.
		host_uuid = "$(cat /proc/sys/kernel/random/uuid)"
		unix_sock_group = "libvirt"
		unix_sock_ro_perms = "0770"
		unix_sock_rw_perms = "0770"
		auth_unix_ro = "none"
		auth_unix_rw = "none"
	END
	chmod 600 $machines_conf.new
	mv -f $machines_conf.new $machines_conf
}

# With systemd: its own units, by socket.
machines_start() {
	local sockets
	packages_has_systemd || return 0
	machines_hide_kvm
	! systemctl --quiet is-active libvirtd.service libvirtd.socket virtqemud.service virtqemud.socket || return 0
	sockets=$(systemctl list-unit-files --no-legend libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket \
		virtlogd.socket | awk '{ print $1 }')
	# shellcheck disable=SC2086
	systemctl --quiet enable --now $sockets 2>/dev/null ||
		warn "libvirtd could not be started: systemctl status libvirtd.socket"
}

# As the supervisor does it. Only where libvirt came with Lodge, and taken back when KVM works.
machines_hide_kvm() {
	if machines_libvirt_is_ours && [ -e /dev/kvm ] && machines_kvm tested && ! machines_kvm usable; then
		[ ! -e $machines_dropin ] || return 0
		mkdir -p "${machines_dropin%/*}"
		printf '%s\n' "# KVM does not work here: libvirtd would try it again at each start of a machine" \
			'[Service]' 'ExecStart=' "ExecStart=$libexec/lodge-supervise exec libvirtd" >$machines_dropin
		machines_reload
	else
		machines_show_kvm
	fi
}
machines_show_kvm() {
	[ -e $machines_dropin ] || return 0
	rm -f $machines_dropin
	rmdir "${machines_dropin%/*}" 2>/dev/null || :
	machines_reload
}
machines_reload() { # machines are processes of their own
	systemctl daemon-reload
	systemctl --quiet try-restart libvirtd.service || warn "libvirtd could not be started again"
}

# ---- an ISO ----

machines_make_iso() { # machines_make_iso LOG
	timeout -k 5 240 "$libexec/lodge-make-iso" >"$1" 2>&1 </dev/null 9>&-
}
machines_iso() { # machines_iso LOG
	[ -z "${LODGE_SKIP_ISO:-}" ] || return 0
	if [ ! -s $machines_cache/lodge.iso ]; then
		say "making a small ISO for a first virtual machine"
		if ! first_has_mirror && [ -z "${LODGE_KERNEL_DEB:-}" ]; then
			warn "no ISO: deb.debian.org cannot be reached; with network, later: ./quickstart.sh again"
			return
		fi
		# the lists of packages may be old
		if ! machines_make_iso "$1" && ! { packages_apt update >"$1" 2>&1 && machines_make_iso "$1"; }; then
			warn "no ISO: $(tail -n 1 "$1")"
			return
		fi
	fi
	[ ! -e $machines_isos/lodge.iso ] || return 0
	mkdir -p $machines_isos
	cp $machines_cache/lodge.iso $machines_isos/.lodge.iso.new && mv -f $machines_isos/.lodge.iso.new $machines_isos/lodge.iso ||
		warn "the ISO could not be copied to storage local"
}

# ---- KVM ----

machines_record() { lodge get "/nodes/$LODGE_NODE/kvm" 2>/dev/null | tr -d ' \n'; }
machines_kvm() { # machines_kvm usable|tested|outdated
	case $1 in
	usable) machines_record | grep -q '"usable":\(1\|true\)' ;;
	outdated) machines_record | grep -q '"outdated":\(1\|true\)' ;;
	tested) machines_record | grep -q '"tested":' ;;
	esac
}
# Again only where the answer may have changed: it takes up to 15 s.
machines_kvm_is_known() {
	machines_kvm tested && ! machines_kvm outdated &&
		! { [ -e /dev/kvm ] && machines_record | grep -q isnotthere; }
}
machines_check_kvm() { # machines_check_kvm LOG
	[ -z "${LODGE_SKIP_KVM_CHECK:-}" ] && ! machines_kvm_is_known || return 0
	[ ! -e /dev/kvm ] || say "testing KVM (15 seconds at most)"
	timeout 60 lodge kvm-check >"$1" 2>&1 </dev/null || warn "KVM: $(tail -n 1 "$1")"
}

machines_hints() { # machines_hints BRIDGE
	local emulate=
	if [ ! -e /dev/kvm ] || { machines_kvm tested && ! machines_kvm usable; }; then
		emulate=' --kvm 0'
		lodge status 2>/dev/null | grep '^KVM' | fold -s -w 108 | sed '2,$s/^/    /' || :
		echo
	fi
	[ -e $machines_isos/lodge.iso ] || return 0
	cat <<-END
		A first virtual machine:

		  lodge create 200 --name first-vm --memory 512$emulate --scsi0 local:4 \\
		      --ide2 local:iso/lodge.iso,media=cdrom --boot 'order=ide2;scsi0' \\
		      --net0 virtio,bridge=${1:-vmbr0} --serial0 socket --start 1
		  lodge console 200

	END
}

# ---- the way back ----

machines_running() { [ -n "$(pgrep -f -- '-name guest=lodge-[0-9]' | machines_own)" ]; }

# Those that the node could not be asked to stop: by libvirtd, and by their pids where that does not answer (without
# systemd it ends with the supervisor). Their disks are about to go.
machines_kill() {
	local name
	if command -v virsh >/dev/null; then
		for name in $(timeout 20 virsh -q list --name 2>/dev/null | grep -x 'lodge-[0-9]*'); do
			timeout 60 virsh -q destroy "$name" >/dev/null || warn "virtual machine $name does not stop"
		done
	fi
	machines_kill_left TERM
	machines_kill_left KILL
}
machines_left() { # pids of this node's machines
	local file pid name
	for file in "$machines_pids"/lodge-[0-9]*.pid; do
		name=$(basename "$file" .pid)
		pid=$(cat "$file" 2>/dev/null) && [[ $pid =~ ^[1-9][0-9]*$ ]] || continue
		# the file may be older than its process
		[[ "$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")" != *"guest=$name,"* ]] || echo "$pid"
	done
}
machines_kill_left() { # machines_kill_left SIGNAL: and waits for their ends, for 5 s
	local end=$((SECONDS + 5)) pids
	pids=$(machines_left)
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill -"$1" $pids 2>/dev/null || :
	while [ -n "$(machines_left)" ]; do
		[ $SECONDS -lt $end ] || return 0
		sleep 0.1
	done
}

# After the supervisor has ended: virtlogd stays with the machines that write to it.
machines_remove() { # machines_remove PURGE
	local pid
	pid=$(machines_noted virtlogd) || pid=
	if [ -n "$pid" ] && ! machines_running; then
		kill "$pid" 2>/dev/null || :
		rm -f $run/supervise/virtlogd
	fi
	! packages_has_systemd || machines_show_kvm
	[ -z "$1" ] || rm -rf $machines_cache/lodge.iso $machines_cache/lodge.iso.maker $machines_cache/iso.??????
	rmdir $machines_cache 2>/dev/null || :
}
