#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes vendor/ anew from the packages named in vendor/packages.txt ("NAME VERSION INTEGRITY" a line), fetched
# from npm's registry and compared with their checksums. Nothing of them is built; what is changed is changed here:
#
#   - "preact" as a module's name becomes a path: without an import map (which had to be inline) only paths resolve
#   - references to source maps go away, which are not shipped
#   - xterm.js sets one style attribute by setAttribute, which the Content-Security-Policy forbids; through the
#     CSSOM it is allowed
#   - xterm.js makes the <style> of its scroll bar with the page's document, whatever its option documentOverride
#     says (6.0.0); app/style/console.css has those rules
#
#   vendor.sh          makes vendor/ and vendor/SHA256SUMS
#   vendor.sh --check  compares vendor/ with vendor/SHA256SUMS; needs no network
#
# Needs: npm, openssl. To go to another version: edit packages.txt ("-" as integrity prints the right one), run it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
vendor=$here/vendor

die() {
	echo "vendor: $*" >&2
	exit 1
}

if [ "${1:-}" = --check ]; then
	cd "$vendor"
	sha256sum --quiet -c SHA256SUMS
	[ "$(wc -l <SHA256SUMS)" = "$(find . -type f ! -name SHA256SUMS | wc -l)" ] || die "files that are not in SHA256SUMS"
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fetch() { # fetch NAME VERSION INTEGRITY: unpacked as $work/NAME without its scope
	file=$(cd "$work" && npm pack --silent "$1@$2") || die "$1@$2 cannot be fetched"
	sum="sha512-$(openssl dgst -sha512 -binary "$work/$file" | openssl base64 -A)"
	[ "$sum" = "$3" ] || die "$1@$2 has the checksum $sum"
	mkdir "$work/${1##*/}"
	tar -xzf "$work/$file" -C "$work/${1##*/}" --strip-components=1 --no-same-owner
}

# change FILE FROM TO: a fixed text that stands in there exactly once
change() {
	[ "$(grep -oF -- "$2" "$1" | wc -l)" = 1 ] || die "$1: not exactly once: $2"
	FROM=$2 TO=$3 perl -0pi -e 's/\Q$ENV{FROM}\E/$ENV{TO}/' "$1"
}

put() { # put FROM… TO: copies into a folder of the new vendor/
	for last; do :; done
	mkdir -p "$work/new/$last"
	while [ $# -gt 1 ]; do
		cp -R "$work/$1" "$work/new/$last/"
		shift
	done
}

while read -r name version integrity; do
	case $name in '' | '#'*) continue ;; esac
	fetch "$name" "$version" "$integrity"
done <"$vendor/packages.txt"

put preact/dist/preact.mjs preact/hooks/dist/hooks.mjs preact/LICENSE preact
put htm/dist/htm.mjs htm/LICENSE htm
put xterm/lib/xterm.mjs xterm/css/xterm.css xterm/LICENSE xterm
put addon-fit/lib/addon-fit.mjs xterm
put novnc/core novnc/vendor novnc/LICENSE.txt novnc/AUTHORS novnc/docs novnc
cd "$work/new"
rm novnc/docs/*.md
cp "$vendor/packages.txt" .
find . -name '*.mjs' -exec sed -i '/^\/\/# sourceMappingURL=/d; s/[/][/]# sourceMappingURL=[^ ]*$//' {} +
change preact/hooks.mjs 'from"preact"' 'from"./preact.mjs"'
# shellcheck disable=SC2016
change xterm/xterm.mjs 'setAttribute("style",`${t.getAttribute("style")||""}${e};`)' 'style.cssText+=`${e};`'
change xterm/xterm.mjs 'mainDocument.createElement("style")' 'mainDocument.createElement("template")'
find . -type f ! -name '*.*' -exec mv {} {}.txt \;
find . -type f -exec chmod 644 {} +
find . -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum >SHA256SUMS
rm -rf "$vendor"
cp -R "$work/new" "$vendor"
