# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Build, programs, user and settings on this host. Sourced by quickstart.sh, which sets $top.
# shellcheck disable=SC2154

# shellcheck disable=SC2034
libexec=/usr/libexec/lodge
manifest=/usr/share/lodge/manifest
conf=/etc/lodge/lodge.conf

# A tree configured elsewhere, then moved, cannot be used again.
files_build() { # files_build PRESET LOG [TARGETS…]
	local preset=$1 folder=$top/build/$1 log=$2 owner
	shift 2
	if ! grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$top" "$folder/CMakeCache.txt"; then
		rm -rf "$folder"
	fi
	(cd "$top" && cmake --preset "$preset" && cmake --build "$folder" ${1:+--target "$@"}) >"$log" 2>&1 ||
		{ grep -A 5 -m 3 -iE 'error|FAILED' "$log" >&2; die "the build failed (all of it: $log)"; }
	owner=$(stat -c %u:%g "$top")
	[ "$owner" = 0:0 ] || chown -R "$owner" "$top/build"
}

# Each file appears whole under its name: a job or a hook that starts meanwhile finds the old or the new.
files_place() { # files_place STAGE
	local path list
	list=$(mktemp)
	(cd "$1" && find . -type f -printf '/%P\n' | LC_ALL=C sort) >"$list"
	echo "$manifest" >>"$list"
	while IFS= read -r path; do
		[ "$path" != "$manifest" ] || continue
		mkdir -p "${path%/*}"
		cp -p "$1$path" "$path.lodge-new"
		mv -f "$path.lodge-new" "$path"
	done <"$list"
	if [ -f "$manifest" ]; then
		files_remove < <(grep -vxF -f "$list" "$manifest")
	fi
	mkdir -p "${manifest%/*}"
	install -m 644 "$list" "$manifest"
	rm -f "$list"
}

files_remove() { # paths on stdin; folders that are empty then go as well
	local path folder
	while IFS= read -r path; do
		rm -f "$path"
		folder=${path%/*}
		while [[ $folder == */lodge || $folder == */lodge/* ]] && rmdir "$folder" 2>/dev/null; do
			folder=${folder%/*}
		done
	done
}

files_install() { # files_install LOG
	local stage=$top/build/stage
	rm -rf "$stage"
	DESTDIR=$stage cmake --install "$top/build/release" --strip >"$1" 2>&1 ||
		{ tail -n 5 "$1" >&2; die "the installation failed (all of it: $1)"; }
	chown -R 0:0 "$stage"
	files_place "$stage"
	rm -rf "$stage"
}

# Folders with all that is in them. What is mounted below is left alone, a folder of the same file system as well: a view
# of the folder without mounts is what is emptied. So is what a link leads to, where more than Lodge's may be. What cannot be
# removed is no reason to leave the rest: it is told in files_kept, "PATH: REASON" each. Folders stay with it.
files_spared= # what is to stay, directly in one of them
files_purge() { # files_purge FOLDER…
	local folder line path reason
	files_kept=()
	for folder; do
		[ -d "$folder" ] || continue
		if [ -L "$folder" ]; then
			files_kept+=("$folder: it is a link, and what is in $(readlink -f "$folder") may be others' as well")
			continue
		fi
		while IFS= read -r line; do
			line=${line#find: cannot delete }
			path=${line%: *} reason=${line##*: }
			path=${path#\'} path=${path%\'}
			[ "$reason" != "Device or resource busy" ] || reason="something is mounted there, or uses it"
			if [ "$reason" != "Directory not empty" ] || ! files_kept_below "$path/"; then
				files_kept+=("$path: $reason")
			fi
		done < <(files_empty "$folder" 2>&1)
		rmdir "$folder" 2>/dev/null || : # a mount point stays
	done
}
# Mount points are busy in the new namespace, too, which has them below the view.
files_empty() { # files_empty FOLDER
	# shellcheck disable=SC2016
	LC_ALL=C unshare --mount sh -c 'mount --bind "$1" "$1" &&
		exec find "$1" -xdev -mindepth 1 ! -path "$2" ! -path "$2/*" -delete' sh "$1" "${files_spared:-none}"
}
files_kept_below() { # files_kept_below PREFIX
	local kept
	for kept in ${files_kept[@]+"${files_kept[@]}"}; do
		[[ $kept != "$1"* ]] || return 0
	done
	return 1
}

files_user() {
	id lodge >/dev/null 2>&1 || useradd --system --user-group --home-dir /nonexistent --no-create-home \
		--shell /usr/sbin/nologin --comment "Lodge HTTPS gate" lodge
}
files_user_remove() { # only a user as files_user makes it
	[ "$(getent passwd lodge | cut -d: -f6)" != /nonexistent ] || userdel lodge
}

# Ids for the inside of containers, beyond every range that somebody has already: two owners of one range
# could become each other.
files_subids() {
	local file first
	for file in /etc/subuid /etc/subgid; do
		! grep -qsE '^(root|0):' "$file" || continue
		first=$(awk -F: '$2 + $3 > last { last = $2 + $3 } END { print last > 100000 ? last : 100000 }' \
			"$file" 2>/dev/null || echo 100000)
		echo "root:${first:-100000}:65536" >>"$file"
	done
}

# ---- settings ----

conf_get() { # conf_get NAME
	[ ! -f "$conf" ] || sed -n "s/^$1=//p" "$conf" | tail -n 1
}
conf_put() { # conf_put NAME VALUE
	mkdir -p "${conf%/*}"
	[ -f "$conf" ] || printf '# Settings of this Lodge node; restart the node after a change.\n' >"$conf"
	{
		grep -v "^$1=" "$conf" || :
		echo "$1=$2"
	} >"$conf.new"
	chmod 644 "$conf.new"
	mv -f "$conf.new" "$conf"
}

conf_check() { # conf_check NAME PATTERN WHAT: what the caller's environment sets
	[[ -z ${!1:-} || ${!1} =~ ^($2)$ ]] || die "$1='${!1}' is not $3"
}
# Refuses before anything was changed.
conf_check_all() {
	conf_check LODGE_PORT '[0-9]{1,5}' "a port number"
	[[ -z ${LODGE_PORT:-} || ( $((10#$LODGE_PORT)) -ge 1 && $((10#$LODGE_PORT)) -le 65535 ) ]] ||
		die "LODGE_PORT='$LODGE_PORT' is not a port number"
	conf_check LODGE_LISTEN '[0-9a-fA-F.:]+' "an IP address"
	conf_check LODGE_BRIDGE '[a-zA-Z][a-zA-Z0-9_.-]{0,14}' "the name of a bridge"
	LODGE_NODE=${LODGE_NODE:-$(conf_get LODGE_NODE)}
	LODGE_NODE=${LODGE_NODE:-$(hostname | cut -d. -f1)}
	conf_check LODGE_NODE '[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?' \
		"the name of a node (letters, digits and '-', at most 63)"
	if [ -d /var/lib/lodge/db ] && [ "$LODGE_NODE" != "$(conf_get LODGE_NODE || :)" ] &&
		[ -n "$(conf_get LODGE_NODE)" ]; then
		die "this node is called $(conf_get LODGE_NODE); its guests lie under that name, it cannot be changed"
	fi
}
# The node's name is kept as well: it stays when the host is renamed.
conf_write() {
	local name
	for name in LODGE_NODE LODGE_PORT LODGE_LISTEN LODGE_BRIDGE; do
		[ -z "${!name:-}" ] || [ "${!name}" = "$(conf_get $name)" ] || conf_put $name "${!name}"
	done
}
