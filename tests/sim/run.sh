#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The simulator: the production core of several nodes in virtual time, under random schedules. Prints TAP.
#
#   tests/sim/run.sh store [--schedules N] [--seed S] [--jobs J]      random schedules from seed S on
#   tests/sim/run.sh store --replay SEED [--minimise] [--mutant NAME] one of them, told step by step
#   tests/sim/run.sh mutants [--schedules N] [--seed S] [--only NAME] rules broken on purpose must be caught
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

# J processes, each with its share of the seeds; one plan for all.
run_jobs() {
	local share=$(((schedules + jobs - 1) / jobs)) folder bad=0 i pids=()
	folder=$(mktemp -d)
	for ((i = 0; i < jobs; i++)); do
		"$build/tests/sim/sim_store" --schedules "$share" --seed $((seed + i * share)) >"$folder/$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || bad=1
	done
	cat "$folder"/* | awk '
		/^1\.\.[0-9]+$/ { next }
		/^(not )?ok [0-9]+/ { n++; sub(/ok [0-9]+/, "ok " n) }
		{ print }
		END { print "1.." n + 0 }'
	rm -rf "$folder"
	return $bad
}

# That test fails with the broken core, and passes with the whole one.
scripted() { # scripted NUMBER TEST
	local part said
	for part in follow lead snapshot; do
		said=$(LODGE_MUTANT=$1 "$build/tests/sim/sim_scripted_$part" 2>&1)
		if grep -q "FAILED.*] $2\$" <<<"$said"; then
			LODGE_MUTANT=0 "$build/tests/sim/sim_scripted_$part" >/dev/null 2>&1
			return
		fi
	done
	return 1
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
	schedules=${schedules:-10000}
	if [ "$jobs" -gt 1 ]; then
		run_jobs
	else
		exec "$build/tests/sim/sim_store" --schedules "$schedules" --seed "$seed"
	fi
	;;
mutants)
	make_program sim_store_mutants
	random=("$build/tests/sim/sim_store_mutants" --mutants --schedules "${schedules:-50000}" --seed "$seed")
	[ -z "$mutant" ] || exec "${random[@]}" --mutant "$mutant"
	make_program sim_scripted_follow
	make_program sim_scripted_lead
	make_program sim_scripted_snapshot
	"${random[@]}" | grep -v '^1\.\.'
	bad=${PIPESTATUS[0]}
	count=$("$build/tests/sim/sim_store_mutants" --mutants --schedules 0 | sed -n 's/^1\.\.//p')
	while read -r code name test; do
		count=$((count + 1))
		if scripted "$code" "$test"; then
			echo "ok $count - $name: caught by the scripted schedule $test"
		else
			echo "not ok $count - $name: the scripted schedule $test does not notice"
			bad=1
		fi
	done < <("$build/tests/sim/sim_store_mutants" --scripted)
	echo "1..$count"
	exit "$bad"
	;;
*) usage ;;
esac
