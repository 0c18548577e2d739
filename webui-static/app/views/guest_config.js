// SPDX-License-Identifier: GPL-2.0-or-later
// A guest's configuration as a table; what is simple can be changed, the rest is shown.
import * as api from '../api.js';
import { guestPath } from '../actions.js';
import { html, useState } from '../html.js';
import { Dialog } from '../components/dialog.js';
import { Field } from '../components/field.js';
import { Icon } from '../components/icon.js';
import { useConfig } from '../components/use_config.js';

/** key → [label, kind, kinds of guests, unit]; an empty value goes back to the default. */
const EDITS = {
	name: ['Name', 'text', 'qemu'],
	hostname: ['Host name', 'text', 'lxc'],
	cores: ['Cores', 'number', 'lxc qemu'],
	memory: ['Memory', 'number', 'lxc qemu', 'MiB'],
	swap: ['Swap', 'number', 'lxc', 'MiB'],
	onboot: ['Start with the node', 'checkbox', 'lxc qemu'],
	startup: ['Start and stop order', 'text', 'lxc qemu'],
	tags: ['Tags', 'text', 'lxc qemu'],
	description: ['Notes', 'textarea', 'lxc qemu'],
	nameserver: ['Name servers', 'text', 'lxc'],
	searchdomain: ['Search domain', 'text', 'lxc'],
};

const ORDER = Object.keys(EDITS);
const rank = (key) => (ORDER.includes(key) ? ORDER.indexOf(key) : ORDER.length);

function rowsOf(items, type) {
	const known = new Set(items.map((i) => i.key));
	const unset = ORDER.filter((key) => !known.has(key) && EDITS[key][2].includes(type)).map((key) => ({ key }));
	return [...items.filter((i) => i.key !== 'digest'), ...unset]
		.sort((a, b) => rank(a.key) - rank(b.key) || (a.key < b.key ? -1 : 1));
}

function Edit({ entry, name, stored, digest, onClose, onDone }) {
	const [label, kind, , unit] = EDITS[name];
	const [seen] = useState(digest); // what is shown is of then: a later change of others must not be lost
	const [value, setValue] = useState(kind === 'checkbox' ? String(stored) === '1' : String(stored ?? ''));
	const [error, setError] = useState('');
	const save = async (event) => {
		event.preventDefault();
		const change = value === '' ? { delete: name } : { [name]: value };
		try {
			await api.put(`${guestPath(entry)}/config`, { ...change, digest: seen });
			onDone();
		} catch (failure) {
			setError(Object.values(failure.fields)[0] || failure.message);
		}
	};
	return html`<${Dialog} title=${`${label} of ${entry.vmid}`} onClose=${onClose}><form onSubmit=${save}>
		<${Field} label=${label} name=${name} kind=${kind} value=${value} onValue=${setValue} error=${error} unit=${unit} autofocus
			hint=${kind === 'checkbox' ? '' : 'Empty: the default.'} />
		<footer><button type="button" onClick=${onClose}>Cancel</button><button type="submit" class="main">Save</button></footer>
	</form><//>`;
}

function Row({ item, onEdit }) {
	const shown = item.value ?? '';
	const isWaiting = item.pending !== undefined || item.delete;
	return html`<tr data-key=${item.key}>
		<th scope="row">${EDITS[item.key] ? EDITS[item.key][0] : item.key}</th>
		<td class="value mono">${shown === '' ? html`<span class="faint">default</span>` : String(shown)}
			${isWaiting && html`<p class="pending">${item.delete ? 'Removed' : html`Becomes <b>${String(item.pending)}</b>`} at the next start</p>`}</td>
		<td class="edit">${EDITS[item.key] && html`<button type="button" class="quiet square" aria-label=${`Change ${EDITS[item.key][0].toLowerCase()}`}
			onClick=${() => onEdit(item.key)}><${Icon} name="edit" /></button>`}</td>
	</tr>`;
}

export function GuestConfig({ entry }) {
	const { items, value, digest, error, reload } = useConfig(entry);
	const [editing, setEditing] = useState(null);
	if (!items)
		return html`<div class="empty"><p>${error || 'Loading…'}</p></div>`;
	const close = () => setEditing(null);
	return html`<section class="panel">
		<table class="config" aria-label="Configuration"><thead class="unseen"><tr><th>Key</th><th>Value</th><th>Change</th></tr></thead>
			<tbody>${rowsOf(items, entry.type).map((i) => html`<${Row} key=${i.key} item=${i} onEdit=${setEditing} />`)}</tbody></table>
		${editing && html`<${Edit} key=${editing} entry=${entry} name=${editing} stored=${value(editing)} digest=${digest}
			onClose=${close} onDone=${() => { close(); reload(); }} />`}
	</section>`;
}
