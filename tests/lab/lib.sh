# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by the NN-*.sh tests: TAP output, waiting for events, the installed product on a node. Source
# it first; it starts nothing by itself. Runs on the host as root; what it changes there goes away
# with the test, however that ends.
#
# LODGE_BUILD: a release build to test (default build/release). LODGE_LAB_KEEP=1 keeps the folder.
# LODGE_TEST_FULL=1: long forms.
set -u
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
top=$(readlink -f "$here/../..")
build=${LODGE_BUILD:-$top/build/release}
python=/usr/bin/python3
admin_password=correct-horse-7
count=0 failed=0 tap_pid=

skip_all() { echo "1..0 # SKIP $*"; exit 0; }
[ "$(id -u)" = 0 ] || skip_all "needs root"

LAB=$(mktemp -d /var/tmp/lodge-lab.XXXXXX) || exit 1
chmod 755 "$LAB"
echo $$ >"$LAB/pid"
cp "$here/node-residue.sh" "$LAB/residue.sh"
. "$here/node.sh"

lab_sweep # of runs that could not tidy up themselves

finish() {
	local code=$? IFS=$' \t\n' # a trap in the middle of `IFS= read` sees that IFS
	trap '' INT TERM HUP
	[ -z "$tap_pid" ] || kill_tree "$tap_pid"
	[ $count -eq 0 ] || echo "1..$count"
	if [ "$failed" != 0 ] && [ -n "${lab_names:-}" ]; then
		lab_logs
	fi
	lab_stop_all
	if [ -n "${LODGE_LAB_KEEP:-}" ]; then touch "$LAB/keep"; else rm -rf "$LAB"; fi
	# a bare exit would end with the status from before the trap
	[ "$failed" = 0 ] || [ $code != 0 ] || code=1
	exit $code
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

pass() { count=$((count + 1)); echo "ok $count - $1"; }
fail() { # fail TEXT [FILE with details]
	count=$((count + 1)) failed=$((failed + 1))
	echo "not ok $count - $1"
	[ -z "${2:-}" ] || sed 's/^/# /' "$2" | tail -${3:-40}
}
ok() { # ok TEXT COMMAND…
	local text=$1
	shift
	if "$@" >"$LAB/out" 2>&1 </dev/null; then
		pass "$text"
	else
		fail "$text" "$LAB/out"
	fi
}
skip() { count=$((count + 1)); echo "ok $count - $1 # SKIP $2"; }
not() { ! "$@"; }
is() { # is EXPECTED GOT: for ok
	[ "$1" = "$2" ] || { printf 'expected: %s\ngot:      %s\n' "$1" "$2"; return 1; }
}
pause() { read -rt "$1" <> <(:) || :; }
wait_for() { # wait_for SECONDS COMMAND…: for events that nothing can be waited on for
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { "$@"; return; }
		pause 0.1
	done
}

# Runs a program that prints "ok - TEXT" and "not ok - TEXT" and gives its lines our numbers.
tap() { # tap SECONDS COMMAND…
	local limit=$1 line code=none pid from before=$failed
	shift
	coproc TAP { exec 2>&1 </dev/null; lab_limit "$limit" "$@"; echo "exit $?"; }
	pid=$TAP_PID tap_pid=$TAP_PID
	exec {from}<&"${TAP[0]}"
	while IFS= read -r line; do
		case $line in
		"ok - "*) pass "${line#ok - }" ;;
		"not ok - "*) fail "${line#not ok - }" ;;
		"exit "*) code=${line#exit } ;;
		*) echo "# ${line#\# }" ;;
		esac
	done <&$from
	exec {from}<&-
	wait $pid 2>/dev/null
	tap_pid=
	# 1 is a client's word for tests that failed, which were then seen here
	[ "$code" = 0 ] || [ "$code" = 1 -a $failed -gt $before ] || fail "$3 ends well (exit code $code)"
}
lab_limit() { # lab_limit SECONDS COMMAND…: for shell functions, which timeout(1) cannot run
	local limit=$1 pid guard code
	shift
	"$@" &
	pid=$!
	(trap - EXIT; sleep "$limit"; kill_tree $pid) >/dev/null 2>&1 &
	guard=$!
	wait $pid
	code=$?
	kill_tree $guard
	return $code
}
kill_tree() { # kill_tree PID
	local child
	for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do kill_tree "$child"; done
	kill -9 "$1" 2>/dev/null
}

# The product, installed once into $LAB/product from $build, then copied into nodes.
product_make() {
	[ -x "$build/agent/core/lodged" ] || [ -n "$(find "$build" -name lodged -type f 2>/dev/null)" ] ||
		skip_all "no build in $build (set LODGE_BUILD)"
	DESTDIR=$LAB/product cmake --install "$build" --prefix /usr >"$LAB/install.log" 2>&1 ||
		{ fail "cmake --install" "$LAB/install.log"; exit 1; }
}
product_install() { # product_install NODE: programs, user, id ranges
	lab_in "$1" sh -c '
		cp -a /lab/product/. / &&
		{ id lodge || useradd --system --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin lodge; } &&
		for f in /etc/subuid /etc/subgid; do
			grep -qs ^root: $f || echo root:100000:65536 >>$f
		done' >/dev/null
}
product_start() { # product_start NODE: brought up and kept up by the supervisor
	lab_spawn "$1" /usr/libexec/lodge/lodge-supervise
}
node_residue_before() { lab_in "$1" /lab/residue.sh >"$LAB/$1.residue"; } # node_residue_before NODE
node_residue_same() { lab_in "$1" /lab/residue.sh | diff "$LAB/$1.residue" -; }
node_residue_after() { wait_for 10 node_residue_same "$1"; }
product_admin() { # product_admin NODE: admin@pve, Administrator, by the CLI
	lab_in "$1" lodge post /access/users --userid admin@pve --password "$admin_password" &&
		lab_in "$1" lodge put /access/acl --path / --users admin@pve --roles Administrator
}
client() { # client NODE SCRIPT [ARGUMENTS]: a client's program on the switch's network
	local node=$1 script=$2
	shift 2
	lab_net env LODGE_HOST="$(lab_address "$node")" LODGE_NODE="$node" LODGE_USER=admin@pve \
		LODGE_PASSWORD="$admin_password" LODGE_IN="$LAB/$node/in" PYTHONDONTWRITEBYTECODE=1 \
		"$python" "$top/tests/clients/$script" "$@"
}
template_busybox() { "$top/storage/make-template.sh" busybox; }
api_answers() { lab_in "$1" lodge get /version; }
https_answers() { # https_answers ADDRESS, seen from the switch
	lab_net curl -ksS --max-time 3 -o /dev/null "https://$1:8006/"
}
product_up() { # product_up NODE: installed, started, answering
	product_install "$1" && product_start "$1" && wait_for 20 api_answers "$1" &&
		wait_for 20 https_answers "$(lab_address "$1")"
}
