#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The test whether KVM is usable: what it says where there is none, where a machine comes up, hangs, or fails; that
# nothing of it is left, however it ends; and what creation and start of machines make of it. On the host's own
# /dev/kvm as well, whatever that is worth.
# limit: 200
# alone
. "$(dirname "$(readlink -f "$0")")/lib.sh"
for tool in libvirtd virtlogd virsh qemu-system-x86_64; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
product_make
"$top/storage/make-iso.sh" >"$LAB/iso" 2>"$LAB/iso.err" || skip_all "no ISO: $(tail -n 1 "$LAB/iso.err")"
cp "$here"/vm_libvirt.sh "$LAB/"

in_n1() { lab_in n1 "$@"; }
machine_is_gone() { ! in_n1 pgrep -f 'readonly=on,format=raw,file=/var/cache/lodge/lodge.iso'; }
checks() { in_n1 lodge kvm-check; }
says() { # says TEXT COMMAND…
	local text=$1 out code=0
	shift
	out=$("$@" 2>&1) || code=$?
	[[ $out == *"$text"* ]] || { echo "$out"; return 1; }
	return $code
}
fails_with() { # fails_with TEXT COMMAND…
	local text=$1 out
	shift
	out=$("$@" 2>&1) && { echo "did not fail: $out"; return 1; }
	[[ $out == *"$text"* ]] || { echo "$out"; return 1; }
}
within() { # within SECONDS COMMAND…
	local start=$SECONDS limit=$1
	shift
	"$@" || return
	[ $((SECONDS - start)) -le "$limit" ] || { echo "took $((SECONDS - start)) s"; return 1; }
}
# In place of QEMU: what the line says, with $@ its arguments.
qemu() { printf '#!/bin/bash\n%s\n' "$1" >"$LAB/qemu" && in_n1 install -m 755 /lab/qemu /usr/bin/qemu-system-x86_64; }

lab_residue_before
ok "a node" lab_start n1
in_n1 cp /usr/bin/qemu-system-x86_64 /usr/bin/qemu-real
ok "its libvirtd" lab_in n1 bash /lab/vm_libvirt.sh
ok "the product answers on it" product_up n1

ok "status: known without a test where there is no /dev/kvm" says "KVM: not usable: /dev/kvm is not there" in_n1 lodge status
ok "no device: said at once" within 3 says "KVM: not usable: /dev/kvm is not there" checks
ok "with the remedy" says "remedy: switch virtualisation on in the firmware" in_n1 lodge status
ok "the supervisor is told as well" in_n1 grep -x 'usable: 0' /var/lib/lodge/kvm

# a device that opens; the machine itself is emulated
in_n1 mknod -m 600 /dev/kvm c 1 3
# shellcheck disable=SC2016
qemu 'args=("${@/accel=kvm/accel=tcg}"); exec /usr/bin/qemu-real "${args[@]/#host/max}"'
ok "a machine comes up: usable" says "KVM: usable: a test machine was ready after" checks
ok "nothing is left of it" machine_is_gone
ok "status says so" says "KVM: usable" in_n1 lodge status
ok "and the supervisor is told" in_n1 grep -x 'usable: 1' /var/lib/lodge/kvm

qemu 'echo "qemu-system-x86_64: error: failed to set MSR 0x10a to 0x69" >&2; kill -ABRT $$'
ok "QEMU fails: not usable, with its words" says "QEMU was ended by signal 6: failed to set MSR 0x10a" checks
create=(in_n1 lodge create 200 --scsi0 local:0.1)
ok "a machine that wants KVM is made, with a warning" says "this machine will not start as it is: KVM is not usable" "${create[@]}"
ok "its start names the test and the remedy" \
	fails_with "its test failed (QEMU was ended by signal 6: failed to set MSR 0x10a to 0x69); set the machine's kvm to 0" in_n1 lodge start 200
no_warning() {
	local out
	out=$(in_n1 lodge create 201 --scsi0 local:0.1 --kvm 0 2>&1) && [[ ${out^^} != *WARN* ]] || { echo "$out"; return 1; }
}
ok "one that does without: no warning" no_warning

qemu 'echo "qemu-system-x86_64: cannot set up guest memory: Cannot allocate memory" >&2; exit 1'
ok "no memory for the test: no verdict" fails_with "KVM could not be tested" checks
ok "what was known stays" says "failed to set MSR" in_n1 lodge status

# shellcheck disable=SC2016
qemu 'trap "" TERM; echo $$ >/tmp/hangs; while :; do sleep 1; done'
pid() { in_n1 cat /tmp/hangs; }
hangs() { in_n1 test -s /tmp/hangs; }
is_gone() { in_n1 sh -c "! test -e /proc/$(pid)"; }
ok "a machine that hangs: not usable, in time" within 18 says "a test machine was not ready within 15 s" checks
ok "it is gone" is_gone
in_n1 rm -f /tmp/hangs
in_n1 lodge kvm-check --no-wait >"$LAB/upid"
ok "one that hangs" wait_for 5 hangs
ok "a second test is refused" fails_with "a test of KVM is running already" checks
ok "is stopped with its task" within 3 in_n1 lodge task stop "$(cat "$LAB/upid")"
ok "and gone" wait_for 3 is_gone
in_n1 rm -f /tmp/hangs
in_n1 lodge kvm-check --no-wait >"$LAB/upid"
wait_for 5 hangs
in_n1 pkill -KILL -f 'lodge-task kvmcheck'
ok "job killed: the machine dies with it" wait_for 3 is_gone
ok "the old verdict stays" says "was not ready within 15 s" in_n1 lodge status

in_n1 mv /var/cache/lodge/lodge.iso /tmp/
ok "no image: said how to make it" fails_with "lodge-make-iso' makes it" checks
in_n1 mv /tmp/lodge.iso /var/cache/lodge/

in_n1 rm /dev/kvm
if [ -c /dev/kvm ]; then
	in_n1 mknod -m 600 /dev/kvm c 10 232
	in_n1 mv /usr/bin/qemu-real /usr/bin/qemu-system-x86_64
	ok "the host's own KVM: a verdict in time" within 18 says "KVM: " checks
	echo "# $(in_n1 lodge status | grep ^KVM)"
	ok "nothing is left of it" machine_is_gone
else
	skip "the host's own KVM" "there is no /dev/kvm"
fi
lab_stop_all
ok "nothing is left on the host" lab_residue_after
