// SPDX-License-Identifier: GPL-2.0-or-later
// Fields that both kinds of guests have, bound to a dialog's values and errors.
import { html } from '../html.js';
import { bytes } from '../format.js';
import { Field } from './field.js';

/** field({ name, label, … }): a Field of a dialog. errorsOf: names in the API's errors, its own name by default.
 * @returns {(props: object) => any} */
export function FieldOf(values, set, errors) {
	return ({ name, errorsOf = name, wide, ...props }) => {
		const error = errorsOf.split(' ').map((n) => errors[n]).find(Boolean);
		return html`<div key=${name} class=${wide ? 'cell all' : 'cell'} data-errors=${errorsOf}>
			<${Field} name=${name} value=${values[name]} onValue=${set(name)} error=${error} ...${props} /></div>`;
	};
}

export function StorageField({ field, disks, label, errorsOf }) {
	const free = (s) => (s.active ? `${s.storage} (${bytes(s.avail)} free)` : `${s.storage} (not available)`);
	const options = disks.map((s) => [s.storage, free(s)]);
	return field({ name: 'storage', label, kind: 'select', errorsOf, options: options.length ? options : [['', 'none']] });
}

/** A choice where the node tells its bridges, else a name. */
export function BridgeField({ field, bridges, wide }) {
	const common = { name: 'bridge', label: 'Bridge', errorsOf: 'net0', wide };
	return bridges.length ? field({ ...common, kind: 'select', options: [...bridges.map((b) => [b, b]), ['', 'no network']] }) : field(common);
}
