// SPDX-License-Identifier: GPL-2.0-or-later
// The keys of configurations as people read them: names, groups, order, and the fields of those that are one value. Data and pure.

const BOTH = 'lxc qemu';
const check = (label, more) => ({ kind: 'checkbox', label, ...more });
const zones = () => ['UTC', ...(Intl.supportedValuesOf?.('timeZone') || []).filter((z) => z !== 'UTC')].map((z) => [z, z]);

/* what counts where nothing is set, of those where that is worth a word; by kind of guest where they differ */
const OTHERWISE = {
	memory: '512 MiB', swap: '512 MiB', cores: { lxc: 'all of the node', qemu: '1' }, cpulimit: 'no limit', nameserver: 'those of the node', searchdomain: 'that of the node',
	onboot: 'no', startup: 'after all that have one', protection: 'no', features: 'none', timezone: 'as it is inside', cmode: 'a free terminal', console: 'yes', tty: '2',
	hookscript: 'none', entrypoint: '/sbin/init', debug: 'no',
};

/** In the order of the page. key, or stem of keys with a number; of: kinds of guests; needs: the right to it, "Options" where none stands; field:
 * what it is changed with (none: by a dialog of its own, or not); isLines: parts that are separated by \0 are lines in the field; isFixed: only
 * shown. */
export const KEYS = [
	{ key: 'memory', group: 'resources', of: BOTH, needs: 'Memory', field: { label: 'Memory', kind: 'number', min: 16, unit: 'MiB' } },
	{ key: 'swap', group: 'resources', of: 'lxc', needs: 'Memory', field: { label: 'Swap', kind: 'number', min: 0, unit: 'MiB' } },
	{ key: 'cores', group: 'resources', of: BOTH, needs: 'CPU', field: { label: 'Cores', kind: 'number', min: 1 } },
	{ key: 'cpulimit', group: 'resources', of: 'lxc', needs: 'CPU', field: { label: 'Processor time', kind: 'number', min: 0, step: 'any', unit: 'cores', hint: 'At most; 0: no limit.' } },
	{ key: 'cpuunits', group: 'resources', of: 'lxc', needs: 'CPU', field: { label: 'Processor weight', kind: 'number', min: 0, hint: 'Beside other guests; 0: the default.' } },
	{ key: 'rootfs', label: 'Root disk', group: 'resources', of: 'lxc', needs: 'Disk' },
	{ stem: 'mp', label: 'Mount point', group: 'resources', of: 'lxc', needs: 'Disk' },
	{ stem: 'unused', label: 'Unused volume', group: 'resources', of: BOTH, needs: 'Disk' },
	{ stem: 'dev', label: 'Device', group: 'resources', of: 'lxc' },
	{ stem: 'scsi', label: 'SCSI disk', group: 'resources', of: 'qemu', needs: 'Disk' },
	{ stem: 'virtio', label: 'Virtio disk', group: 'resources', of: 'qemu', needs: 'Disk' },
	{ stem: 'sata', label: 'SATA disk', group: 'resources', of: 'qemu', needs: 'Disk' },
	{ stem: 'ide', label: 'IDE disk', group: 'resources', of: 'qemu', needs: 'Disk' },
	{ stem: 'net', label: 'Network card', group: 'network', of: BOTH, needs: 'Network' },
	{ key: 'nameserver', group: 'network', of: 'lxc', needs: 'Network', field: { label: 'Name servers', hint: 'Empty: those of the node.' } },
	{ key: 'searchdomain', group: 'network', of: 'lxc', needs: 'Network', field: { label: 'Search domain', hint: 'Empty: that of the node.' } },
	{ key: 'name', group: 'options', of: 'qemu', field: { label: 'Name' } },
	{ key: 'hostname', group: 'options', of: 'lxc', needs: 'Network', field: { label: 'Host name' } },
	{ key: 'tags', group: 'options', of: BOTH, field: { label: 'Tags', placeholder: 'web;edge' } },
	{ key: 'description', group: 'options', of: BOTH, field: { label: 'Notes', kind: 'textarea' } },
	{ key: 'onboot', group: 'options', of: BOTH, field: check('Start with the node') },
	{ key: 'startup', label: 'Start and stop order', group: 'options', of: BOTH },
	{ key: 'protection', group: 'options', of: BOTH, field: check('Protection', { hint: 'Neither it nor its volumes can be removed.' }) },
	{ key: 'features', label: 'Features', group: 'options', of: 'lxc' },
	{ key: 'timezone', group: 'options', of: 'lxc', field: { label: 'Time zone', kind: 'select', options: [['', 'as it is inside (default)'], ['host', 'that of the node'], ...zones()] } },
	{ key: 'cmode', group: 'options', of: 'lxc', field: { label: 'Console mode', kind: 'select',
		options: [['', 'a free terminal (default)'], ['console', '/dev/console'], ['shell', 'a shell of root, without log-in']] } },
	{ key: 'console', group: 'options', of: 'lxc', field: check('Console device', { unset: '1' }) },
	{ key: 'tty', group: 'options', of: 'lxc', field: { label: 'Terminals', kind: 'number', min: 0, max: 6 } },
	{ key: 'hookscript', label: 'Hook script', group: 'options', of: 'lxc' },
	{ key: 'entrypoint', group: 'options', of: 'lxc', field: { label: 'First program', placeholder: '/sbin/init' } },
	{ key: 'env', group: 'options', of: 'lxc', isLines: true, field: { label: 'Environment', kind: 'textarea', placeholder: 'NAME=value' } },
	{ key: 'debug', group: 'options', of: 'lxc', field: check('Detailed logs at start') },
	{ key: 'unprivileged', label: 'Unprivileged', group: 'options', of: 'lxc', isFixed: true },
	{ key: 'ostype', label: 'System inside', group: 'options', of: BOTH, isFixed: true },
	{ key: 'arch', label: 'Architecture', group: 'options', of: BOTH, isFixed: true },
];
const OTHER = { group: 'options', isFixed: true };
const NUMBERED = /^([a-z]+)(\d+)$/;

/** What is known of a key; of unknown ones that they are shown. */
export function keyOf(key) {
	const [, stem] = NUMBERED.exec(key) || [];
	return KEYS.find((k) => k.key === key || (stem && k.stem === stem)) || OTHER;
}

const DRIVE = /^(scsi|virtio|sata|ide)\d+$/;
/** Is it a drive's medium, or a drive without one, and not a disk? */
export const isMedium = (value) => /(^|,)media=cdrom(,|$)|^none(,|$)/.test(value);

/** The rights to change a key that has those values, stored, waiting or new; all are needed. @returns {string[]} */
export function needsOf(key, ...values) {
	const there = values.filter((v) => v !== undefined && v !== null && v !== '');
	const parts = DRIVE.test(key) && there.length ? there.map((v) => (isMedium(String(v)) ? 'CDROM' : 'Disk')) : [keyOf(key).needs || 'Options'];
	return [...new Set(parts)].map((part) => `VM.Config.${part}`);
}

/** "Mount point 0" */
export function labelOf(key) {
	const known = keyOf(key);
	const label = known.label || known.field?.label || key;
	return known.stem ? `${label} ${key.slice(known.stem.length)}` : label;
}

function rank(key) {
	const at = KEYS.indexOf(keyOf(key));
	return at < 0 ? KEYS.length : at;
}
const numberOf = (key) => Number(NUMBERED.exec(key)?.[2] || 0);
const compare = (a, b) => rank(a.key) - rank(b.key) || numberOf(a.key) - numberOf(b.key) || (a.key < b.key ? -1 : 1);

/** The rows of a group: what is set, and what could be set at once. @param {object[]} items as in GET …/pending */
export function rowsOf(items, type, group) {
	const there = new Set(items.map((i) => i.key));
	const unset = KEYS.filter((k) => k.key && !k.isFixed && k.of.includes(type) && !there.has(k.key)).map(({ key }) => ({ key }));
	return [...items.filter((i) => i.key !== 'digest'), ...unset].filter((i) => keyOf(i.key).group === group).sort(compare);
}

/** The first key with this stem that nothing has. */
export function freeKey(stem, items) {
	const there = new Set(items.map((i) => i.key));
	for (let n = 0; ; n++)
		if (!there.has(stem + n))
			return stem + n;
}

/** "default: 512 MiB" for a key that is not set. */
export function defaultOf(key, type) {
	const known = Object.hasOwn(OTHERWISE, key) ? OTHERWISE[key] : undefined; // keys are not all ours
	const words = known?.[type] ?? known;
	return words ? `default: ${words}` : 'default';
}

/** A stored value as its row shows it; what has no field is shown as it is. */
export function wordsOf(key, stored) {
	const { field, isLines } = keyOf(key);
	const text = String(stored);
	if (field?.kind === 'checkbox')
		return shownOf({ field }, stored) ? 'yes' : 'no';
	if (field?.kind === 'select')
		return field.options.find(([value]) => value === text)?.[1] ?? text;
	return isLines ? text.split('\\0').join('\n') : field?.unit ? `${text} ${field.unit}` : text;
}

/** What a field shows of a stored value, and what is stored of what it shows; undefined: nothing, it goes back to the default. */
export function shownOf({ field, isLines }, stored) {
	if (field.kind === 'checkbox')
		return /^(1|yes|on|true)$/i.test(String(stored ?? field.unset ?? '0'));
	const text = String(stored ?? '');
	return isLines ? text.split('\\0').join('\n') : text;
}
export function storedOf({ field, isLines }, shown) {
	if (field.kind === 'checkbox')
		return shown ? '1' : '0';
	const text = isLines ? shown.split('\n').filter(Boolean).join('\\0') : shown;
	return text === '' ? undefined : text;
}
