#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs all tests. As root: the lab makes namespaces and mounts, and missing packages are installed.
#
#   sudo ./tests/run.sh [--full] [--only unit|sim|fuzz|lab|clients|ui]…
#
# unit     ctest on a build with ASan and UBSan, fuzz corpora included
# sim      tests/sim/run.sh: the store's core in virtual time, random schedules; and each rule broken on purpose
# fuzz     libFuzzer, briefly, on copies of the corpora
# lab      tests/lab/NN-*.sh: the release build on nodes of its own on this machine; ct_*.sh: its jobs alone
# clients  tests/clients/NN-*.sh: clients of others against such a node
# ui       tests/ui/NN-*.sh: the page, in node's test runner and in Chromium (and Firefox, where it is) against such a node
#
# Lab, client and ui tests are executable and print TAP; a line "# limit: SECONDS" near a file's top replaces its 600 s,
# "# alone" lets nothing run beside it. --full (LODGE_TEST_FULL=1) asks all of them for their long forms. Logs are in
# build/test-logs. The last line is "N passed, N failed, N skipped"; the exit status is 1 when something failed or nothing ran.
set -uo pipefail
top=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C.UTF-8
umask 022
logs=$top/build/test-logs
jobs=$(nproc)
passed=0 failed=0 skipped=0
times=()

say() { echo "== $*"; }
warn() { echo "warning: $*" >&2; }
die() { # of the functions below: one failed step
	echo "$*"
	exit 1
}
usage() {
	sed -n 's/^#   \(sudo.*\)/\1/p' "$0" >&2
	exit 2
}

# shellcheck source=systemd/setup/packages.sh
. "$top/systemd/setup/packages.sh"
# shellcheck source=systemd/setup/files.sh
. "$top/systemd/setup/files.sh"
packages_test="libcmocka-dev clang libclang-rt-14-dev|libclang-rt-19-dev python3 python3-proxmoxer
	python3-requests nginx-light|nginx wrk tini openssl procps iputils-ping docker-registry"
packages_ui="fonts-liberation|fonts-dejavu-core"

# ---- arguments ----

layers=
full=
while [ $# -gt 0 ]; do
	case $1 in
	--full) full=1 ;;
	--only)
		case ${2:-} in
		unit | sim | fuzz | lab | clients | ui) layers="$layers $2" ;;
		*) usage ;;
		esac
		shift
		;;
	*) usage ;;
	esac
	shift
done
layers=${layers:- unit sim fuzz lab clients ui}
[ -z "$full" ] || export LODGE_TEST_FULL=1
# no run hangs, whatever its tests do
minutes=30
[ -z "$full" ] || minutes=360
deadline=$((SECONDS + minutes * 60))
wants() { [[ " $layers " == *" $1 "* ]]; }

# ---- counting ----

count() { # count PASSED FAILED SKIPPED
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}
step_failed() { # step_failed TEXT [LOG]
	count 0 1 0
	echo "not ok - $1"
	[ -z "${2:-}" ] || tail -n 40 "$2"
}
layer() { # layer NAME FUNCTION
	local start=$SECONDS was=("$passed" "$failed" "$skipped")
	case $1 in
	build) ;;
	nodes) wants lab || wants clients || wants ui || return 0 ;;
	*) wants "$1" || return 0 ;;
	esac
	say "$1"
	"$2"
	times+=("$(printf '%-8s %4d s  %4d passed %4d failed %4d skipped' "$1" $((SECONDS - start)) \
		$((passed - was[0])) $((failed - was[1])) $((skipped - was[2])))")
}

# ---- build ----

build() { # build PRESET; the subshell is what die() leaves
	local log=$logs/build-$1.log preset=$1
	if ! (files_build "$preset" "$log"); then
		step_failed "build $preset"
		return 1
	fi
	if grep -q 'warning:' "$log"; then
		step_failed "build $preset has warnings" <(grep -A 3 'warning:' "$log")
	fi
	return 0
}
# These come from elsewhere as often as from Debian, which has them in packages that exclude the others.
packages_of_browser() {
	command -v chromium >/dev/null || echo chromium
	command -v node >/dev/null || echo nodejs
	command -v npm >/dev/null || echo npm
	[ -z "$full" ] || command -v firefox-esr >/dev/null || echo firefox-esr
}
build_all() {
	local browser=
	if [ "$(id -u)" = 0 ]; then
		! wants ui || browser="$packages_ui $(packages_of_browser)"
		# shellcheck disable=SC2086
		(trap packages_restore_services EXIT && packages_install "$logs/packages.log" $packages_build $packages_run $packages_test $browser) ||
			step_failed "packages"
	fi
	if wants unit || wants lab; then
		build asan && has_asan=1
	fi
	if wants lab || wants clients || wants ui; then
		build release && has_release=1
	fi
}
has_asan='' has_release=''

# ---- unit ----

# Of each case: passed or failed, and how many of its cmocka tests were skipped. A case that skipped all
# it has did not pass.
unit_counts() { # LastTest.log on stdin
	awk '
		/^[0-9]+\/[0-9]+ Testing: / { ok = not_run = is_summary = 0 }
		/^\[       OK \] / { ok++ }
		/^\[==========\] .* run\.$/ { is_summary = 1 } # names come once more
		/^\[  SKIPPED \] / && !is_summary { not_run++ }
		/^Test Passed\.$/ { skipped += not_run; if (not_run == 0 || ok > 0) passed++ }
		/^Test (Failed|timeout)|^Unable to find|^Test not run/ { skipped += not_run }
		END { print passed + 0, skipped + 0 }'
}
unit() {
	local log=$logs/unit.log folder=$top/build/asan counts bad
	[ -n "$has_asan" ] || return 0
	rm -f "$folder/Testing/Temporary/LastTest.log"
	ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
		ctest --test-dir "$folder" -j "$jobs" --output-on-failure --no-tests=error >"$log" 2>&1 </dev/null
	bad=$(sed -n 's/^.* tests passed, \([0-9]*\) tests failed out of .*/\1/p' "$log")
	if [ -z "$bad" ] || [ "$bad" != 0 ]; then
		cat "$log"
	else
		tail -n 3 "$log"
	fi
	[ -n "$bad" ] || { step_failed "ctest did not end"; return; }
	read -ra counts < <(unit_counts <"$folder/Testing/Temporary/LastTest.log")
	count "${counts[0]}" "$bad" "${counts[1]}"
}

# ---- fuzz ----

fuzz_one() { # fuzz_one BINARY: prints one line
	local what=${1##*/fuzz_} work=$top/build/fuzz-work seconds=${LODGE_TEST_FULL:+120}
	local log=$logs/fuzz-$what.log
	mkdir -p "$work/$what" "$work/seeds"
	rm -rf "${work:?}/seeds/$what"
	cp -r "$top/tests/fuzz/corpus/$what" "$work/seeds/$what" 2>/dev/null || mkdir "$work/seeds/$what"
	if timeout -k 5 $((${seconds:-3} + 60)) "$1" -max_total_time="${seconds:-3}" -timeout=10 -rss_limit_mb=2048 \
		-verbosity=1 -print_final_stats=1 -artifact_prefix="$work/$what." "$work/$what" "$work/seeds/$what" \
		>"$log" 2>&1 </dev/null; then
		echo "ok - fuzz $what: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs"
	else
		echo "not ok - fuzz $what"
		grep -v "^#[0-9]" "$log" | tail -n 40
	fi
}
fuzz() {
	local harnesses binaries log=$logs/fuzz.log
	if ! command -v clang >/dev/null; then
		echo "ok - fuzz # SKIP no clang"
		count 0 0 1
		return
	fi
	mapfile -t harnesses < <(basename -s .c "$top"/tests/fuzz/fuzz_*.c)
	(files_build fuzz "$logs/build-fuzz.log" "${harnesses[@]}") || { step_failed "build fuzz"; return; }
	binaries=("${harnesses[@]/#/$top/build/fuzz/tests/fuzz/}")
	export -f fuzz_one
	export top logs
	# shellcheck disable=SC2016
	printf '%s\0' "${binaries[@]}" | xargs -0 -n 1 -P "$jobs" bash -c 'fuzz_one "$1"' fuzz | tee "$log"
	count "$(grep -c '^ok ' "$log")" "$(grep -c '^not ok ' "$log")" 0
}

# ---- TAP ----

# Prints PASSED FAILED SKIPPED. What was planned and did not come, and a bad end without a bad test, are one
# failure each; so is a bad end of what skipped all.
tap_counts() { # tap_counts EXIT_STATUS <LOG
	awk -v status="$1" '
		/^1\.\.0([ \t]|$)/ { planned = 0; has_plan = 1; all_skipped = 1; next }
		/^1\.\.[0-9]+/ { planned = substr($1, 4) + 0; has_plan = 1; next }
		/^ok([ \t]|$)/ { seen++; if (tolower($0) ~ /# *skip/) skipped++; else passed++; next }
		/^not ok([ \t]|$)/ { seen++; if (tolower($0) ~ /# *todo/) skipped++; else failed++ }
		END {
			if (all_skipped && seen == 0 && status == 0) skipped++
			else if (all_skipped && seen == 0) failed++
			else if (!has_plan || planned != seen) failed++
			else if (status != 0 && failed == 0) failed++
			print passed + 0, failed + 0, skipped + 0
		}'
}
tap_limit() { # tap_limit FILE
	local limit
	limit=$(sed -n '1,20s/^# limit: \([0-9]*\)$/\1/p' "$1")
	limit=${limit:-600}
	[ -z "$full" ] || limit=$((limit * 10))
	echo "$limit"
}
tap_file() { # tap_file FILE
	local name log limit left code=0 start=$SECONDS counts
	name=${1#"$top/tests/"}
	log=$logs/${name//\//-}.log
	limit=$(tap_limit "$1")
	left=$((deadline - SECONDS))
	[ "$limit" -le $left ] || limit=$left
	if [ "$limit" -le 0 ]; then
		step_failed "$name: no time is left"
		return
	fi
	timeout -k 30 "$limit" "$1" >"$log" 2>&1 </dev/null &
	wait $! || code=$?
	[ $code -lt 124 ] || echo "# ended after $((SECONDS - start)) s, status $code (124: it took too long)" >>"$log"
	read -ra counts < <(tap_counts $code <"$log")
	count "${counts[@]}"
	if [ "${counts[1]}" != 0 ]; then
		grep -v '^ok ' "$log" | tail -n 300 | sed 's/^/    /'
	else
		grep -iE '^1\.\.0|# *(skip|todo)' "$log" | sed 's/^/    /'
	fi
	printf '%-32s %4d s  %d passed, %d failed, %d skipped\n' "$name" $((SECONDS - start)) "${counts[@]}"
}

# ---- lab, clients, ui ----

# A node waits more than it works: two tests are run at a time, each on nodes of its own. Jobs alone (ct_*) make their
# groups among this machine's, and so are run one after the other.
nodes_of() { # nodes_of FOLDER: what tests there are, a line each, with their limits; what cannot be executed fails then
	local file
	wants "$1" || return 0
	for file in "$top/tests/$1"/[0-9]*-*.sh; do
		[ ! -e "$file" ] || echo "$(tap_limit "$file") $file"
	done
}
nodes_all() { # lines of files; what may take long begins first
	local file jobs_alone=
	{ nodes_of lab; nodes_of clients; nodes_of ui; } | sort -s -k 1,1rn | cut -d ' ' -f 2
	for file in "$top"/tests/lab/ct_*.sh; do
		[ ! -x "$file" ] || jobs_alone="$jobs_alone $file"
	done
	! wants lab || echo "$jobs_alone"
}
# What has a deadline of the product's own to keep gets the machine to itself, behind all others.
nodes_split() { # lines on stdin; nodes_split BESIDE ALONE
	local line
	: >"$1"
	: >"$2"
	while read -r line; do
		if [[ $line != *' '* ]] && [ -n "$(sed -n '1,20{/^# alone$/p}' "$line")" ]; then
			echo "$line" >>"$2"
		else
			echo "$line" >>"$1"
		fi
	done
}
nodes_next() { # takes the first line; fails when it cannot be taken away, as on a full disk
	(
		flock 8 && line=$(head -n 1 "$logs/queue") && sed -i 1d "$logs/queue" && echo "$line"
	) 8>"$logs/queue.lock"
}
# Where a lab test runs a single program, it runs the one that checks itself.
nodes_environment() { # nodes_environment FOLDER
	unset LODGE LODGE_LIBEXEC_DIR
	export LODGE_BUILD=$top/build/release
	[ "$1" = lab ] || return 0
	LODGE_LIBEXEC_DIR=$(dirname "$(find "$top/build/asan/stage" -name lodge-task -type f)")
	LODGE=$(find "$top/build/asan/stage" -path '*/bin/lodge' -type f)
	export LODGE LODGE_LIBEXEC_DIR
}
nodes_one() { # nodes_one FILE
	local folder told=$logs/told.$BASHPID passed=0 failed=0 skipped=0
	folder=$(basename "$(dirname "$1")")
	nodes_environment "$folder"
	tap_file "$1" >"$told"
	[ $((passed + failed + skipped)) != 0 ] || failed=1 # nothing of it could be written
	(
		flock 8
		cat "$told"
		echo "$folder $passed $failed $skipped" >>"$logs/counts"
	) 8>"$logs/queue.lock"
}
nodes_worker() {
	local files file
	trap nodes_stop TERM INT HUP
	while [ $SECONDS -lt $deadline ] && files=$(nodes_next) && [ -n "$files" ]; do
		for file in $files; do nodes_one "$file"; done
	done
}
# timeout(1) hands on what ends it; the tests tidy up behind themselves.
nodes_stop() {
	# shellcheck disable=SC2046
	kill -TERM $(jobs -p) 2>/dev/null
	wait
	exit 143
}
nodes_stage() {
	rm -rf "$top/build/asan/stage"
	DESTDIR=$top/build/asan/stage cmake --install "$top/build/asan" >"$logs/stage.log" 2>&1 ||
		step_failed "install asan" "$logs/stage.log"
}
nodes_sum() { # nodes_sum FOLDER
	local sums
	wants "$1" || return 0
	read -ra sums < <(awk -v folder="$1" '$1 == folder { p += $2; f += $3; s += $4 } END { print p + 0, f + 0, s + 0 }' "$logs/counts")
	count "${sums[@]}"
	times+=("$(printf '%-8s         %4d passed %4d failed %4d skipped' "$1" "${sums[@]}")")
}
# What the tests need of npm is fixed by the lock file; it is fetched only when that has changed.
ui_modules() {
	local folder=$top/tests/ui
	[ -e "$folder/package.json" ] || return 0
	! cmp -s "$folder/package-lock.json" "$folder/node_modules/.lodge-lock" || return 0
	timeout -k 10 300 npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund >"$logs/npm.log" 2>&1 </dev/null &&
		cp "$folder/package-lock.json" "$folder/node_modules/.lodge-lock"
}
nodes() {
	local folder i files
	if [ "$(id -u)" != 0 ]; then
		echo "ok - lab, clients, ui # SKIP need root"
		count 0 0 1
		return
	fi
	[ -n "$has_release" ] || return 0
	! wants lab || [ -n "$has_asan" ] || return 0
	! wants lab || nodes_stage
	! wants ui || ui_modules || step_failed "npm ci" "$logs/npm.log"
	: >"$logs/counts"
	nodes_all | nodes_split "$logs/queue" "$logs/queue.alone"
	files=$(cat "$logs/queue" "$logs/queue.alone" | wc -w)
	trap nodes_stop TERM INT HUP
	for ((i = 0; i < (jobs < 2 ? jobs : 2); i++)); do nodes_worker & done
	wait
	cat "$logs/queue.alone" >>"$logs/queue"
	nodes_worker &
	wait
	trap - TERM INT HUP
	[ "$(wc -l <"$logs/counts")" = "$files" ] || step_failed "not every test was run; what was left:" "$logs/queue"
	for folder in lab clients ui; do nodes_sum $folder; done
}

# ---- sim ----

sim_run() { # sim_run NAME ARGUMENT…: of tests/sim/run.sh
	local log=$logs/sim-$1.log code=0 start=$SECONDS left=$((deadline - SECONDS)) counts
	if [ $left -le 0 ]; then # 0 would be no limit
		step_failed "sim $1: no time is left"
		return
	fi
	timeout -k 30 $left "$top/tests/sim/run.sh" "$@" >"$log" 2>&1 </dev/null || code=$?
	read -ra counts < <(tap_counts $code <"$log")
	count "${counts[@]}"
	[ "${counts[1]}" = 0 ] || grep -v '^ok ' "$log" | tail -n 300 | sed 's/^/    /'
	printf '%-32s %4d s  %d passed, %d failed, %d skipped\n' "sim $1" $((SECONDS - start)) "${counts[@]}"
}
sim() {
	local schedules=10000
	[ -z "$full" ] || schedules=1000000
	sim_run store --schedules $schedules --jobs "$jobs"
	sim_run mutants
}

# ---- all of it ----

mkdir -p "$logs"
exec 9>"$top/build/.tests.lock"
flock -n 9 || die "another run of the tests is at work in $top"
layer build build_all 9>&-
layer unit unit 9>&-
layer sim sim 9>&-
layer fuzz fuzz 9>&-
layer nodes nodes 9>&-
say "time"
printf '%s\n' "${times[@]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]
