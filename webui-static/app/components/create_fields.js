// SPDX-License-Identifier: GPL-2.0-or-later
// Fields that both kinds of guests have.
import { html, useState } from '../html.js';
import { poolNames, storageOptions } from './choices.js';

export function StorageField({ field, disks, label, errorsOf }) {
	const options = storageOptions(disks);
	return field({ name: 'storage', label, kind: 'select', errorsOf, options: options.length ? options : [['', 'none']] });
}

/** Nothing where there are no pools. */
export function PoolField({ field, wide }) {
	const names = poolNames();
	return names.length > 0 && field({ name: 'pool', label: 'Pool', kind: 'select', wide, options: [['', 'none'], ...names.map((n) => [n, n])] });
}

/** A choice where the node tells its bridges, else a name (bridges: null). One that is not in the list stays what it is. */
export function BridgeField({ field, bridges, value, errorsOf = 'net0.bridge net0', wide }) {
	const common = { name: 'bridge', label: 'Bridge', errorsOf, wide };
	const more = value && bridges && !bridges.includes(value) ? [[value, `${value} (as it is)`]] : [];
	return bridges ? field({ ...common, kind: 'select', options: [...bridges.map((b) => [b, b]), ...more, ['', 'no network']] }) : field(common);
}

/** Fields that few need, folded away unless one of them says something at first. */
export function MoreFields({ isOpen, children }) {
	const [open] = useState(isOpen);
	return html`<details class="all more-fields" open=${open}><summary>More</summary><div class="fields">${children}</div></details>`;
}

/** What is on, off, or left to the default. */
export const OPEN_CHOICE = [['', 'default'], ['1', 'on'], ['0', 'off']];

/** "What: value" lines. rows: [label, value]; empty ones are left out. */
export function Facts({ rows }) {
	return html`<dl class="facts all">${rows.filter(([, value]) => value).map(([label, value]) =>
		html`<div key=${label}><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`;
}
