# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian trees for tests that need another system than this host's: made once by mmdebstrap, kept as
# archives. Sourced after lib.sh.
tree_cache=${LODGE_TEST_CACHE:-/var/cache/lodge-test}

# Prints the archive's path; or what went wrong, and returns 1: nothing to make it with (no mmdebstrap, no network), 2:
# making it failed.
tree_has_no_network() { # tree_has_no_network LOG: of mmdebstrap; all it says of a network that is away
	grep -qE '^E: (apt-get update .*failed|Failed to fetch|Unable to fetch)' "$1"
}
# tree_archive NAME SUITE PACKAGES [COMMANDS run in the tree]
tree_archive() {
	local name=$1 suite=$2 packages hook=${4:-true} key archive work code
	packages=$(tr -s ' \t\n' , <<<"$3" | sed 's/^,//; s/,$//')
	key=$(printf '%s\n' "$suite" "$packages" "$hook" | sha256sum | cut -c1-12)
	archive=$tree_cache/$name-$suite-$key.tar.zst
	if [ ! -s "$archive" ]; then
		command -v mmdebstrap >/dev/null || { echo "mmdebstrap is not installed"; return 1; }
		mkdir -p "$tree_cache"
		work=$(mktemp -d "$tree_cache/.tree.XXXXXX") || return 2
		# shellcheck disable=SC2016 # $1 is the tree, for the shell that mmdebstrap starts
		if ! TREE_HOOK=$hook timeout 1200 mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
			--aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::http::Timeout "20"' \
			--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
			--dpkgopt='path-exclude=/usr/share/locale/*' \
			--customize-hook='chroot "$1" sh -c "$TREE_HOOK"' "$suite" "$work/tree.tar" \
			>"$work/log" 2>&1 </dev/null; then
			grep -m 1 '^E: ' "$work/log" || tail -n 1 "$work/log"
			code=2
			! tree_has_no_network "$work/log" || code=1
			rm -rf "$work"
			return $code
		fi
		zstd -q -T0 -3 --rm "$work/tree.tar" -o "$work/tree" && chmod 644 "$work/tree" &&
			rm -f "$tree_cache/$name-$suite"-*.tar.zst && mv "$work/tree" "$archive"
		rm -rf "$work"
		[ -s "$archive" ] || { echo "$archive is not there"; return 2; }
	fi
	echo "$archive"
}
tree_unpack() { # tree_unpack ARCHIVE FOLDER
	mkdir -p "$2" && zstd -dcq "$1" | tar -C "$2" --numeric-owner --xattrs -xpf -
}
# The first of each "a|b": Debian 12 and 13 have it.
tree_packages() { printf '%s\n' "${@%%|*}"; }
