// SPDX-License-Identifier: GPL-2.0-or-later
// What can lie on a storage, as people read it.

export const CONTENTS = {
	images: 'Disk', rootdir: 'Container volume', iso: 'ISO image', vztmpl: 'Container template', backup: 'Backup', snippets: 'Snippet', import: 'Import',
};
/** Those that come as files. */
export const FILE_KINDS = ['iso', 'vztmpl', 'import', 'snippets'];
export const contentOptions = (kinds) => kinds.map((k) => [k, CONTENTS[k] || k]);
export const CHECKSUMS = [['', 'none'], ...['sha256', 'sha512', 'sha384', 'sha224', 'sha1', 'md5'].map((name) => [name, name.toUpperCase()])];

/** What a file most likely is, by its name; of the kinds that there are. Pure. */
export function guessKind(name, kinds) {
	const kind = /\.(iso|img)$/i.test(name) ? 'iso' : /\.tar\.(gz|xz|zst|bz2)$/i.test(name) ? 'vztmpl' : /\.(qcow2|raw|vmdk|ova)$/i.test(name) ? 'import' : 'snippets';
	return kinds.includes(kind) ? kind : undefined;
}
