#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What tests/run.sh makes of what tests say, and of a queue that it cannot change. Its functions are taken out of it, for
# it cannot be sourced.
set -uo pipefail
top=$(cd "$(dirname "$(readlink -f "$0")")/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in tap_counts nodes_of nodes_next nodes_worker; do
	code=$(sed -n "/^$name() {/,/^}/p" "$top/tests/run.sh")
	[ -n "$code" ] || { echo "not ok - no $name"; exit 1; }
	eval "$code"
done
# shellcheck disable=SC2034
logs=$work failed=0 deadline=$((SECONDS + 60))
wants() { :; }
tap_limit() { echo 600; }
nodes_one() { echo "$1" >>"$work/ran"; }
check() { # check TEXT EXPECTED GOT
	if [ "$2" = "$3" ]; then echo "ok - $1"; else
		printf 'not ok - %s\n# expected: %s\n# got:      %s\n' "$1" "$2" "$3"
		failed=1
	fi
}
counts() { printf '%b' "$2" | tap_counts "$1"; } # counts STATUS TAP

# ---- counting ----

check "all well" "2 0 0" "$(counts 0 'ok 1 - a\nok 2 - b\n1..2\n')"
check "one failed" "1 1 0" "$(counts 1 'ok 1 - a\nnot ok 2 - b\n1..2\n')"
check "one was skipped" "1 0 1" "$(counts 0 'ok 1 - a\nok 2 - b # SKIP why\n1..2\n')"
check "fewer than planned" "1 1 0" "$(counts 0 'ok 1 - a\n1..2\n')"
check "no plan" "1 1 0" "$(counts 0 'ok 1 - a\n')"
check "a bad end" "1 1 0" "$(counts 3 'ok 1 - a\n1..1\n')"
check "all skipped" "0 0 1" "$(counts 0 '1..0 # SKIP why\n')"
check "all skipped, with a bad end" "0 1 0" "$(counts 1 '1..0 # SKIP why\n')"
check "nothing said" "0 1 0" "$(counts 0 '')"

# ---- what is run ----

(top=$work && mkdir -p "$work/tests/lab" && cd "$work/tests/lab" && touch 10-a.sh 20-b.sh lib.sh && chmod 755 10-a.sh)
check "what cannot be executed is not left out" "10-a.sh 20-b.sh " "$(top=$work nodes_of lab | sed 's:.*/::' | tr '\n' ' ')"

# ---- the queue ----

queue() { printf 'a\nb c\n' >"$work/queue" && rm -f "$work/ran" && touch "$work/ran"; }
ran() { tr '\n' ' ' <"$work/ran"; }
queue
nodes_worker
check "all of it is run" "a b c " "$(ran)"
queue
deadline=$SECONDS nodes_worker
check "nothing is begun after the deadline" "" "$(ran)"
queue
sed() { return 4; } # as on a full disk
nodes_worker
check "a queue that cannot be changed ends the work" "" "$(ran)"
unset -f sed
queue
rm -f "$work/queue.lock" && mkdir "$work/queue.lock"
nodes_worker 2>"$work/err"
check "so does a lock that cannot be had" "" "$(ran)"
exit $failed
