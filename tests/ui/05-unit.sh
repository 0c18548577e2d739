#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The page's pure parts in node's own test runner, and that what is vendored is what its list says. Prints TAP.
set -u
here=$(dirname "$(readlink -f "$0")")
command -v node >/dev/null || { echo "1..0 # SKIP node is not installed"; exit 0; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
count=0 failed=0
result() { # result OK|"not ok" TEXT
	count=$((count + 1))
	[ "$1" = ok ] || failed=1
	echo "$1 $count - $2"
}

if "$here/../../webui-static/vendor.sh" --check >"$log" 2>&1; then
	result ok "vendor/ is as its list of checksums says"
else
	result "not ok" "vendor/ is as its list of checksums says"
	sed 's/^/# /' "$log"
fi
node --test --test-reporter=tap "$here"/unit/*.test.js >"$log" 2>&1
code=$?
# tests are the indented or plain lines that are no file's or suite's own
while IFS= read -r line; do
	case $line in
	"ok "*) result ok "${line#*- }" ;;
	"not ok "*) result "not ok" "${line#*- }" ;;
	esac
done < <(sed 's/^ *//' "$log" | grep -E '^(not )?ok [0-9]+ - ' | grep -v -E '\.test\.js$')
[ $code = 0 ] || sed 's/^/# /' "$log" | tail -80
[ $code = 0 ] || [ $failed = 1 ] || result "not ok" "node --test ends well (exit code $code)"
echo "1..$count"
[ $failed = 0 ]
