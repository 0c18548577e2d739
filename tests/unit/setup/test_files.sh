#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# systemd/setup/files.sh as quickstart.sh runs it (errexit, pipefail): removing everything, where something is mounted below.
# It mounts in a namespace of its own.
set -euo pipefail
if [ -z "${TEST_FILES_APART:-}" ]; then
	unshare -rm true 2>/dev/null || { echo "ok - # skip no namespaces"; exit 0; }
	TEST_FILES_APART=1 exec unshare -rm "$0"
fi
# shellcheck source=tests/unit/setup/check.sh
. "$(dirname "$(readlink -f "$0")")/check.sh"
trap 'umount "$work"/one/images/* 2>/dev/null || :; rm -rf --one-file-system "$work"' EXIT
# shellcheck source=systemd/setup/files.sh
. "$top/systemd/setup/files.sh"
kept() { # kept TEXT…
	diff <(printf '%s\n' ${files_kept[@]+"${files_kept[@]}"} | sort) <(printf '%s\n' "$@" | sort)
}
in_the_way="something is mounted there, or uses it"

fill() {
	mkdir -p "$work/one/images/100" "$work/one/images/a b" "$work/one/db" "$work/two/deep"
	touch "$work/one/images/100/disk" "$work/one/db/lodge.db" "$work/two/deep/file" "$work/two/last"
}
fill
files_purge "$work/one" "$work/none" "$work/two"
check "everything goes" not ls -d "$work/one" "$work/two"
check "nothing is told of it" kept

fill
for folder in 100 "a b"; do
	mount -t tmpfs none "$work/one/images/$folder"
	touch "$work/one/images/$folder/theirs"
done
files_purge "$work/one" "$work/two"
check "what is mounted is told, and not the folders above it" \
	kept "$work/one/images/100: $in_the_way" "$work/one/images/a b: $in_the_way"
check "nothing of it goes" ls "$work/one/images/100/theirs" "$work/one/images/a b/theirs"
check "the rest does" not ls -d "$work/one/db" "$work/two"

umount "$work"/one/images/*
files_purge "$work/one" "$work/two"
check "and the folders, once it is unmounted" not ls -d "$work/one"
check "nothing is told any more" kept

# Folders of the same file system, as one has them who keeps images elsewhere on the same disk.
fill
mkdir -p "$work/theirs/deep"
touch "$work/theirs/deep/file" "$work/one/images/a b/hidden"
mount --bind "$work/theirs" "$work/one/images/100"
mount --bind "$work/theirs" "$work/one/images/a b"
files_purge "$work/one"
check "a folder of the same file system is told" \
	kept "$work/one/images/100: $in_the_way" "$work/one/images/a b: $in_the_way"
check "nothing of it goes, at either place" ls "$work/theirs/deep/file" "$work/one/images/100/deep/file"
umount "$work"/one/images/*
check "what it hid does" not ls "$work/one/images/a b/hidden"
files_purge "$work/one"
check "and the folders, once it is taken away" not ls -d "$work/one"

fill
mkdir "$work/more"
mount --bind "$work/one" "$work/more"
files_purge "$work/more"
check "a folder that is mounted itself is emptied" not ls "$work/more/db"
umount "$work/more"
check "nothing is told of it" kept

fill
ln -s "$work/two" "$work/link"
files_purge "$work/link" "$work/one"
check "a link is told" kept "$work/link: it is a link, and what is in $work/two may be others' as well"
check "what it leads to stays" ls "$work/two/deep/file" "$work/link/last"
check "the rest goes" not ls -d "$work/one"

fill
files_spared=$work/one/db
files_purge "$work/one" "$work/two"
check "what is to stay does" ls "$work/one/db/lodge.db"
check "and nothing else, and nothing is told of it" not ls -d "$work/one/images" "$work/two"
check "as it was asked for" kept
files_spared=

fill
unshare() { echo "unshare: unshare failed: Operation not permitted" >&2; return 1; }
files_purge "$work/one"
check "where mounts cannot be looked behind nothing goes, and it is told" \
	kept "unshare: unshare failed: Operation not permitted"
check "all of it is there" ls "$work/one/db/lodge.db"
exit $failed
