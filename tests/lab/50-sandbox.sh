#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The sandbox of a captured gate, by gate_sandbox.sh. Its probes are in a build of the gate for tests, which
# is made here: without sanitizers, whose system calls the sandbox refuses.
# limit: 240
. "$(dirname "$(readlink -f "$0")")/lib.sh"
hooks=$top/build/hooks
[ "${LODGE_BUILD:-}" = "" ] || [ "$build" = "$top/build/release" ] || hooks=$build-hooks
if ! cmake -S "$top" -B "$hooks" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DLODGE_HARDEN=ON >"$LAB/build.log" 2>&1 ||
	! cmake --build "$hooks" --target lodge-gate-hooks >>"$LAB/build.log" 2>&1; then
	fail "build of lodge-gate-hooks" "$LAB/build.log"
	exit 1
fi
bash "$here/gate_sandbox.sh" "$hooks" >"$LAB/sandbox.out" 2>&1
code=$?
while IFS= read -r line; do
	case $line in
	"1..0 # SKIP"*) skip_all "${line#*SKIP }" ;;
	"ok "*) pass "${line#ok * - }" ;;
	"not ok "*) fail "${line#not ok * - }" ;;
	1..*) ;;
	*) echo "# $line" ;;
	esac
done <"$LAB/sandbox.out"
[ $code = 0 ] || [ $failed -gt 0 ] || fail "gate_sandbox.sh came to its end (exit code $code)"
