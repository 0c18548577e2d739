# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of systemd/setup begin with: a folder of their own, and checks. Their last line is: exit $failed
top=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
check() { # check TEXT COMMAND…
	if (set +e; "${@:2}"); then echo "ok - $1"; else
		echo "not ok - $1"
		failed=1
	fi
}
not() { ! "$@"; }
