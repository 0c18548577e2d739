#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The simulator: the production core of several nodes in virtual time, under random schedules. Prints TAP.
#
#   tests/sim/run.sh store [--schedules N] [--seed S] [--jobs J]      random schedules from seed S on
#   tests/sim/run.sh store --replay SEED [--minimise] [--mutant NAME] one of them, told step by step
#   tests/sim/run.sh mutants [--schedules N] [--seed S] [--only NAME] rules broken on purpose must be caught, each by
#                                                                     random schedules and by its scripted one
#
# Builds what it needs (preset sim; LODGE_SIM_BUILD names another build folder). A failure prints its seed, the faults that
# are needed for it and what happened.
set -uo pipefail
top=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
what=${1:-}
shift || true
schedules='' seed=1 jobs=1 replay='' minimise='' mutant=''

usage() {
	sed -n 's/^#   \(tests.*\)/\1/p' "$0" >&2
	exit 2
}
number() {
	[[ ${1:-} =~ ^[0-9]+$ ]] || usage
	echo "$1"
}
while [ $# -gt 0 ]; do
	case $1 in
	--schedules) schedules=$(number "${2:-}") || exit 2; shift ;;
	--seed) seed=$(number "${2:-}") || exit 2; shift ;;
	--jobs) jobs=$(number "${2:-}") || exit 2; shift ;;
	--replay) replay=$(number "${2:-}") || exit 2; shift ;;
	--only | --mutant) mutant=${2:-}; shift ;;
	--minimise) minimise=1 ;;
	*) usage ;;
	esac
	shift
done

build=${LODGE_SIM_BUILD:-$top/build/sim}
make_program() { # make_program TARGET
	local log
	log=$(mktemp)
	if [ ! -e "$build/build.ninja" ] && ! (cd "$top" && cmake --preset sim) >"$log" 2>&1 ||
		! cmake --build "$build" --target "$1" >>"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		echo "Bail out! the simulator does not build"
		exit 1
	fi
	rm -f "$log"
}

# Every scripted schedule passes with the whole core: a TAP line, and scripted_in[test]=program for the mutants.
declare -A scripted_in=()
scripted_find() {
	local source program said test failed=''
	make_program sim_scripted
	for source in "$top"/tests/unit/cluster/test_replica_*.c; do
		program=$(basename "$source" .c)
		program="$build/tests/sim/sim_scripted_${program#test_replica_}"
		said=$(timeout 60 "$program" 2>&1) || failed="$failed $(basename "$program")"
		while read -r test; do
			scripted_in[$test]=$program
		done < <(sed -n 's/^\[ *OK \] //p' <<<"$said")
	done
	count=$((count + 1))
	[ -z "$failed" ] || bad=1
	echo "${failed:+not }ok $count - ${#scripted_in[@]} scripted schedules pass with the whole core${failed:+:$failed do not}"
}

# That test fails with the broken core, at the very assertion that names the rule.
scripted_fails() { # scripted_fails NUMBER NAME TEST
	local program=${scripted_in[$3]:-} said
	[ -n "$program" ] || return 1
	said=$(LODGE_MUTANT=$1 LODGE_TEST=$3 timeout 60 "$program" 2>&1)
	grep -q "^\[ *FAILED *\] $3\$" <<<"$said" && grep -q "rule $2 is broken" <<<"$said"
}

scripted() { # prints TAP from $count on
	local code name test
	scripted_find
	while read -r code name test; do
		[ -z "$mutant" ] || [ "$mutant" = "$name" ] || continue
		count=$((count + 1))
		if scripted_fails "$code" "$name" "$test"; then
			echo "ok $count - $name: caught by the scripted schedule $test"
		else
			echo "not ok $count - $name: the scripted schedule $test does not notice"
			bad=1
		fi
	done < <("$build/tests/sim/sim_store_mutants" --scripted)
}

case $what in
store)
	if [ -n "$replay" ]; then
		program=sim_store
		[ -z "$mutant" ] || program=sim_store_mutants
		make_program $program
		exec "$build/tests/sim/$program" --replay "$replay" ${minimise:+--minimise} ${mutant:+--mutant "$mutant"}
	fi
	make_program sim_store
	exec "$build/tests/sim/sim_store" --schedules "${schedules:-10000}" --seed "$seed" --jobs "$jobs"
	;;
mutants)
	make_program sim_store_mutants
	program="$build/tests/sim/sim_store_mutants"
	count=0 bad=0
	while IFS= read -r line; do
		case $line in
		1..*) count=${line#1..} ;;
		*) echo "$line" ;;
		esac
	done < <("$program" --mutants ${mutant:+--mutant "$mutant"} --schedules "${schedules:-50000}" --seed "$seed")
	wait $! || bad=1
	scripted
	echo "1..$count"
	exit "$bad"
	;;
*) usage ;;
esac
