# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside the emulated machine: TAP without numbers (the host gives them), waiting for events, the node's own command
# line, the kernel's files of a container. Sourced by machine.sh before each part, which $part names.
#
# What must not be there is looked for in what was fetched first: an answer that did not come has nothing in it, either.
set -uo pipefail
export LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
out=/run/lab.out.${part:-} node=$(uname -n)

pass() { echo "ok - $1"; }
fail() { echo "not ok - $1"; sed 's/^/# /' "$out" | tail -n 40; }
ok() { # ok TEXT COMMAND…
	local text=$1
	shift
	if "$@" >"$out" 2>&1 </dev/null; then pass "$text"; else fail "$text"; fi
}
ends() { echo "# the end of $1"; } # the last line of each part; the host looks for it
skip() { echo "ok - $1 # SKIP $2"; }
not() { ! "$@"; }
is() { # is EXPECTED GOT: nothing is not expected
	[ -n "$1" ] && [ "$1" = "$2" ] || { printf 'expected: %s\ngot:      %s\n' "$1" "$2"; return 1; }
}
differ() { # differ A B: both are something
	[ -n "$1" ] && [ -n "$2" ] && [ "$1" != "$2" ] || { echo "'$1', '$2'"; return 1; }
}
between() { # between LOW HIGH NUMBER
	[ "$3" -ge "$1" ] && [ "$3" -le "$2" ] || { echo "$3 is not within $1 and $2"; return 1; }
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
says() { # says TEXT COMMAND…: it ends well and prints TEXT
	local text=$1 answer
	shift
	answer=$("$@" 2>&1) || { echo "failed: $answer"; return 1; }
	[[ $answer == *"$text"* ]] || { echo "no '$text' in: $answer"; return 1; }
}
fails_with() { # fails_with TEXT COMMAND…
	local text=$1 answer
	shift
	answer=$("$@" 2>&1) && { echo "did not fail: $answer"; return 1; }
	[[ $answer == *"$text"* ]] || { echo "no '$text' in: $answer"; return 1; }
}
lacks() { # lacks PATTERN COMMAND…: it ends well, and none of its lines is like that
	local pattern=$1 answer
	shift
	answer=$("$@") || { echo "failed: $answer"; return 1; }
	! grep -E -e "$pattern" <<<"$answer"
}
prints_nothing() { # prints_nothing COMMAND…: and ends well
	local answer
	answer=$("$@") && [ -z "$answer" ] || { echo "status $?: $answer"; return 1; }
}

# ---- a container, by the node's command line ----

create() { # create ID [OPTIONS]: of busybox; unprivileged, if nothing else is said
	local id=$1
	shift
	[[ " $*" == *" --memory "* ]] || set -- --memory 64 --swap 0 "$@"
	[[ " $*" == *" --unprivileged "* ]] || set -- --unprivileged 1 "$@"
	[[ " $*" == *" --rootfs "* ]] || set -- --rootfs local:0.0625 "$@"
	lodge create "$id" --ostemplate local:vztmpl/busybox.tar.gz --hostname "ct$id" "$@"
}
inside() { # inside ID COMMAND…
	local id=$1
	shift
	timeout 60 lodge exec "$id" -- "$@"
}
put_probe() { inside "$1" sh -c 'cat >/bin/probe && chmod 755 /bin/probe' </lab/probe; }
change() { lodge config "$@"; } # change ID --KEY VALUE…
config() { lodge get "/nodes/$node/lxc/$1/config" --json; }
value() { # value ID KEY: of its configuration
	config "$1" | sed -n "s/^ *\"$2\": *\"\{0,1\}\([^\"]*[^\",]\)\"\{0,1\},\{0,1\}$/\1/p"
}
current() { # current ID KEY: of its status
	lodge get "/nodes/$node/lxc/$1/status/current" --json |
		sed -n "s/^ *\"$2\": *\"\{0,1\}\([^\"]*[^\",]\)\"\{0,1\},\{0,1\}$/\1/p"
}
state_is() { is "$2" "$(current "$1" status)"; }
pending() { lodge get "/nodes/$node/lxc/$1/pending" --json; }
settled() { # nothing of its configuration waits
	says '"rootfs"' pending "$1" && lacks '"(pending|delete)"' pending "$1"
}
job_log() { # job_log ID TYPE: of its last job of that type
	local upid
	upid=$(lodge get "/nodes/$node/tasks" --vmid "$1" --typefilter "$2" --limit 1 --source all --json | grep -o 'UPID:[^"]*') &&
		lodge get "/nodes/$node/tasks/$upid/log" --json
}
job_says() { # job_says ID TYPE PATTERN
	local answer
	answer=$(job_log "$1" "$2") || return
	echo "$answer"
	grep -q "$3" <<<"$answer"
}
init_of() { current "$1" pid; }
group() { # group ID [FILE]: its control group, or what that file of it says
	local folder
	folder=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(init_of "$1")/cgroup") || return
	folder=$(sed "s:\(lxc\.payload\.$1[-0-9]*\).*:\1:" <<<"$folder")
	if [ -n "${2:-}" ]; then cat "$folder/$2"; else echo "$folder"; fi
}
mebibytes() { echo $(($1 << 20)); }
