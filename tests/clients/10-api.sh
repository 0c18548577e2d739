#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One node with the release programs, brought up by the supervisor, driven by real clients over HTTPS.
. "$(dirname "$(readlink -f "$0")")/../lab/lib.sh"
only=${1:-}
part() { [ -z "$only" ] || [ "$only" = "$1" ]; }

product_make
"$python" -c 'import proxmoxer' 2>/dev/null || skip_all "python3-proxmoxer is not installed"
lab_residue_before
ok "a node" lab_start n1
ok "the product answers on it" product_up n1
ok "an administrator made by the CLI" product_admin n1
busybox=$(template_busybox) || skip_all "no busybox template"
cp "$busybox" "$LAB/busybox.tar.gz"

lab_in n1 cp /var/lib/lodge/tls/ca.pem /lab/ca.pem
ok "its certificate is the node's authority's, for its address" lab_net curl -sSf --cacert "$LAB/ca.pem" -o /dev/null \
	"https://$(lab_address n1):8006/api2/json/access/domains"
ok "TLS 1.3" lab_net curl -sS --tlsv1.3 --cacert "$LAB/ca.pem" -o /dev/null "https://$(lab_address n1):8006/api2/json/version"
ok "no TLS 1.1" not lab_net curl -sS --tls-max 1.1 --cacert "$LAB/ca.pem" -o /dev/null "https://$(lab_address n1):8006/"

part access && tap 120 client n1 proxmoxer_access.py
ok "lodge upload" lab_in n1 lodge upload /lab/busybox.tar.gz local:vztmpl
part storage && tap 60 client n1 proxmoxer_storage.py
ok "what the node has now is noted" node_residue_before n1
part errors && tap 120 client n1 wire_errors.py local:vztmpl/busybox.tar.gz
ok "nothing is left of refused calls" node_residue_after n1
part busybox && tap 120 client n1 proxmoxer_guest.py 100 local:vztmpl/busybox.tar.gz busybox
part busybox && tap 60 client n1 proxmoxer_pools.py 110 local:vztmpl/busybox.tar.gz
ok "nothing is left of it" node_residue_after n1

# virtual machines, where the host can run them
has_vm() {
	local tool
	for tool in libvirtd virtlogd virsh qemu-system-x86_64 "$LAB/product/usr/libexec/lodge/lodge-task-vm"; do
		command -v "$tool" || return
	done >/dev/null
}
if part vm; then
	if ! has_vm; then
		skip "virtual machines" "built without libvirt, or no libvirtd here"
	elif ! iso=$("$top/storage/make-iso.sh" 2>"$LAB/iso.err"); then
		skip "virtual machines" "no ISO: $(tail -1 "$LAB/iso.err")"
	else
		cp "$iso" "$LAB/lodge.iso"
		cp "$here/../lab/vm_libvirt.sh" "$here/../lab/vm_console.py" "$LAB/"
		ok "its libvirtd" lab_in n1 bash /lab/vm_libvirt.sh
		ok "upload of an ISO" lab_in n1 lodge upload /lab/lodge.iso local:iso
		ok "what the node has now is noted" node_residue_before n1
		tap 300 client n1 proxmoxer_vm.py 140 local:iso/lodge.iso
		tap 200 client n1 proxmoxer_vm_life.py 150
		ok "nothing is left of it" node_residue_after n1
	fi
fi

# the command line, as root on the node
lodge() { lab_in n1 lodge "$@"; }
prints() { # prints PATTERN COMMAND…
	local pattern=$1 out
	shift
	out=$("$@" 2>&1) || { echo "$out"; return 1; }
	grep -qE -e "$pattern" <<<"$out" || { echo "no '$pattern' in: $out"; return 1; }
}
if part cli; then
	ok "lodge status" prints '^node n1, ' lodge status
	ok "lodge create" prints 'creating container 130' lodge create 130 --ostemplate local:vztmpl/busybox.tar.gz \
		--rootfs local:0.1 --memory 64 --hostname cli
	ok "lodge ls" prints '^ *130 .*cli .*stopped' lodge ls
	ok "lodge ls --json" prints '"vmid": *130' lodge ls --json
	ok "lodge start shows the log" prints 'TASK OK' lodge start 130
	ok "lodge config" prints '^memory: 64$' lodge config 130
	ok "lodge config changes" lodge config 130 --memory 80 --hostname other --tty 3
	ok "memory at once" prints '"value": *80' lodge get /nodes/n1/lxc/130/pending
	ok "the name as well" prints '"value": *"other"' lodge get /nodes/n1/lxc/130/pending
	ok "terminals wait for the next start" prints '"pending": *3' lodge get /nodes/n1/lxc/130/pending
	ok "lodge reboot" prints 'TASK OK' lodge reboot 130
	ok "lodge shutdown" prints 'TASK OK' lodge shutdown 130 --timeout 20
	ok "lodge stop of a stopped one fails" not lodge stop 130
	ok "with --json, too" not lodge stop 130 --json
	ok "lodge start --json prints the UPID" prints '^"UPID:n1:[^"]*:vzstart:130:root@pam:"$' lodge start 130 --json
	ok "and has waited for it" prints '^ *130 .*other .*running' lodge ls
	ok "without its log" is 1 "$(lodge stop 130 --json | wc -l)"
	ok "it is stopped" prints '^ *130 .*other .*stopped' lodge ls
	ok "lodge task" prints 'vzshutdown' lodge task
	upid=$(lodge task list --json | grep -o 'UPID:[^"]*' | head -1)
	ok "lodge task log" prints 'TASK OK' lodge task log "$upid"
	ok "lodge resize" prints 'TASK OK' lodge resize 130 rootfs +32M
	ok "it has grown" prints 'size=134M' lodge config 130
	ok "lodge clone" prints 'cloning guest 130 as 131' lodge clone 130 131 --hostname copy
	ok "lodge template" lodge template 131
	ok "lodge start of a template fails" not lodge start 131
	ok "lodge snapshot list" prints '^current ' lodge snapshot list 130
	ok "lodge snapshot create says why it cannot" prints 'feature not available: snapshot' sh -c "! '$LAB/n1/in' lodge snapshot create 130 one"
	ok "lodge rollback to nothing fails" not lodge rollback 130 one
	ok "lodge move to where it is fails" not lodge move 130 rootfs local
	ok "the copy goes" prints 'TASK OK' lodge destroy 131
	ok "lodge destroy" prints 'TASK OK' lodge destroy 130
	ok "lodge token create" prints '^admin@pve!cli=[0-9a-f-]{36}$' lodge token create admin@pve cli
	ok "lodge token list" prints '^cli ' lodge token list admin@pve
	ok "lodge token remove" lodge token remove admin@pve cli
	passwd() { lab_in n1 sh -c "echo '$admin_password' | lodge passwd admin@pve"; }
	ok "lodge passwd" passwd
	ok "lodge api describes the calls" prints '"path": *"/nodes/\{node\}/lxc/\{vmid\}/status/start"' lodge api
	ok "it is JSON with its parts" sh -c "'$LAB/n1/in' lodge api | '$python' -c '
import json, sys
rows = json.load(sys.stdin)
assert len(rows) > 60 and all({\"path\", \"method\", \"params\", \"returns\", \"permissions\"} <= set(r) for r in rows), rows[:1]'"
	ok "lodge help create" prints '--ostemplate .*required' lodge help create
	ok "an unknown command" not lodge fly
	ok "an ordinary user is refused" not lab_in n1 setpriv --reuid=65534 --regid=65534 --clear-groups lodge ls
	ok "nothing is left of it" node_residue_after n1
fi

# a power cut and a boot: what is marked starts again, in the order of its ids
if part onboot; then
	tap 120 client n1 onboot.py before
	lab_kill n1
	ok "the node boots again" lab_start n1
	ok "the product answers again" product_up n1
	tap 120 client n1 onboot.py after
	ok "nothing is left of them" node_residue_after n1
fi

if part debian; then
	debian=$(ls /var/cache/lodge/debian-bookworm_*.tar.zst 2>/dev/null | head -1)
	[ -n "$debian" ] || debian=$(timeout 300 "$top/storage/make-template.sh" debian 2>/dev/null)
	if [ -n "$debian" ]; then
		ok "upload of Debian" lab_in n1 lodge upload "$debian" local:vztmpl --filename debian.tar.zst
		tap 300 client n1 proxmoxer_guest.py 110 local:vztmpl/debian.tar.zst debian
		ok "nothing is left of it" node_residue_after n1
	else
		skip "a container with systemd" "no Debian template and none can be made here"
	fi
fi

lab_stop_all
ok "nothing is left on the host" lab_residue_after
