// SPDX-License-Identifier: GPL-2.0-or-later
// Snapshots of a guest as a tree, with what can be done with them.
import * as api from '../api.js';
import { guestPath } from '../actions.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { kindShort, time } from '../format.js';
import { watchTask } from '../live.js';
import { FormDialog } from '../components/form.js';
import { Icon } from '../components/icon.js';
import { useKeptFocus } from '../components/kept_focus.js';
import { useTold } from '../components/use_config.js';
import { Clone } from './guest_dialogs.js';

const HERE = 'current';

/** Pure. Each snapshot after the one that it was made from, with its depth; what the guest is now comes last of its siblings.
 * @param {{name: string, parent?: string, snaptime?: number}[]} list */
export function snapshotTree(list) {
	const names = new Set(list.map((s) => s.name));
	const order = (a, b) => (a.name === HERE) - (b.name === HERE) || (a.snaptime || 0) - (b.snaptime || 0) || (a.name < b.name ? -1 : 1);
	const rows = [], met = new Set();
	const add = (parent, depth) => {
		for (const s of list.filter((x) => (names.has(x.parent) ? x.parent : '') === parent).sort(order)) {
			if (met.has(s.name))
				continue; // a ring, which no node writes
			met.add(s.name);
			rows.push({ ...s, depth });
			add(s.name, depth + 1);
		}
	};
	add('', 0);
	return rows;
}

/** { list, feature, error }; feature: null while it is asked for. */
function useSnapshots(entry) {
	const [state, setState] = useState({ list: null, feature: null, error: null });
	const told = useTold(entry);
	const guest = guestPath(entry);

	useEffect(() => {
		let isGone = false;
		if (told === null)
			return undefined;
		const put = (part) => isGone || setState((old) => ({ ...old, ...part }));
		api.get(`${guest}/snapshot`).then((list) => put({ list, error: null }), (error) => put({ error }));
		api.get(`${guest}/feature`, { feature: 'snapshot' }).then((feature) => put({ feature }),
			(error) => put({ feature: { hasFeature: 0, reason: api.isMissing(error) ? 'this node does not have snapshots' : error.message } }));
		return () => { isGone = true; };
	}, [guest, told, entry.status]);
	return state;
}

const titleOf = (what, entry) => `${what} ${kindShort(entry.type)} ${entry.vmid}`;
const pathOf = (entry, ...more) => `${guestPath(entry)}/snapshot${more.map((m) => `/${encodeURIComponent(m)}`).join('')}`;

function Take({ entry, onClose }) {
	const call = (params) => ({ method: 'POST', path: pathOf(entry), params });
	const send = async (params) => { watchTask(await api.post(pathOf(entry), params), titleOf('Snapshot', entry)); };
	return html`<${FormDialog} title=${titleOf('Snapshot of', entry)} label="Take snapshot" initial=${{ snapname: '', description: '' }} check=${call} send=${send} onClose=${onClose}>
		${(field) => html`${field({ name: 'snapname', label: 'Name', placeholder: 'before-upgrade', wide: true, autofocus: true })}
			${field({ name: 'description', label: 'Notes', kind: 'textarea', wide: true })}`}
	<//>`;
}

function Describe({ entry, snapshot, onClose }) {
	const send = ({ description }) => api.put(pathOf(entry, snapshot.name, 'config'), { description });
	return html`<${FormDialog} title=${`Notes of ${snapshot.name}`} initial=${{ description: snapshot.description || '' }} send=${send} onClose=${onClose}>
		${(field) => field({ name: 'description', label: 'Notes', kind: 'textarea', wide: true, autofocus: true })}
	<//>`;
}

function Rollback({ entry, snapshot, onClose }) {
	const isUp = entry.status !== 'stopped';
	const send = async ({ start }) => { watchTask(await api.post(pathOf(entry, snapshot.name, 'rollback'), { start }), titleOf('Roll back', entry)); };
	return html`<${FormDialog} title=${`Roll back to ${snapshot.name}?`} label="Roll back" danger initial=${{ start: isUp }} send=${send} onClose=${onClose}>
		${(field) => html`<p class="all">All that changed since ${time(snapshot.snaptime)} is lost: configuration and volumes are as they were then.${
			isUp ? ' It runs now, and is stopped for this at once.' : ''}</p>
			${field({ name: 'start', label: 'Start it afterwards', kind: 'checkbox', wide: true })}`}
	<//>`;
}

function Delete({ entry, snapshot, onClose }) {
	const send = async ({ force }) => { watchTask(await api.del(pathOf(entry, snapshot.name), { force }), titleOf('Delete snapshot of', entry)); };
	return html`<${FormDialog} title=${`Delete snapshot ${snapshot.name}?`} label="Delete" danger initial=${{ force: false }} send=${send} onClose=${onClose}>
		${(field) => html`<p class="all">The guest stays as it is, but cannot go back to this state any more.</p>
			${field({ name: 'force', label: 'Forget it even if a storage cannot delete it', kind: 'checkbox', wide: true })}`}
	<//>`;
}

const CloneOf = ({ entry, snapshot, onClose }) => html`<${Clone} entry=${entry} snapshot=${snapshot.name} onClose=${onClose} />`;

const ACTIONS = [
	['Roll back to', 'rollback', Rollback, 'VM.Snapshot|VM.Snapshot.Rollback'],
	['Clone', 'clone', CloneOf, 'VM.Clone'],
	['Change notes of', 'edit', Describe, 'VM.Snapshot'],
	['Delete', 'destroy', Delete, 'VM.Snapshot'],
];

function Row({ snapshot, may, onOpen }) {
	const isHere = snapshot.name === HERE;
	const indent = { paddingLeft: `${16 + Math.min(snapshot.depth, 8) * 18}px` };
	return html`<tr data-key=${snapshot.name}>
		<th scope="row" class="snapshot" style=${indent}>${isHere ? html`<b>Now</b>` : html`<${Icon} name="snapshot" /><span class="mono">${snapshot.name}</span>`}</th>
		<td class="number mid">${isHere ? '' : time(snapshot.snaptime)}</td>
		<td class="value notes">${isHere ? html`<span class="faint">You are here.</span>` : snapshot.description}${
			snapshot.snapstate && html` <span class="lock">${snapshot.snapstate}</span>`}</td>
		<td class="edit">${!isHere && ACTIONS.filter(([, , , needs]) => may(needs)).map(([label, icon, dialog]) => html`<button type="button" key=${icon} class="quiet square" title=${label}
			aria-label=${`${label} ${snapshot.name}`} onClick=${() => onOpen(dialog, snapshot)}><${Icon} name=${icon} /></button>`)}</td>
	</tr>`;
}

export function GuestSnapshots({ entry, may }) {
	const { list, feature, error } = useSnapshots(entry);
	const [open, setOpen] = useState(null);
	const close = () => setOpen(null);
	const ref = useRef(null);

	useKeptFocus(ref);
	if (error && !list)
		return html`<div class="empty"><p>${api.isMissing(error) ? 'Snapshots are not available on this node.' : error.message}</p></div>`;
	if (!list)
		return html`<div class="empty"><p>Loading…</p></div>`;
	const can = Boolean(feature?.hasFeature);
	return html`<section class="panel">
		<div class="table-tools"><h2>Snapshots</h2><span class="grow"></span>
			${may('VM.Snapshot') && html`<button type="button" class="main" disabled=${!can} onClick=${() => setOpen({ dialog: Take })}><${Icon} name="snapshot" />Take snapshot</button>`}</div>
		${may('VM.Snapshot') && feature && !can && html`<p class="note pad" role="note">No snapshot can be taken: ${feature.reason || 'a storage of this guest cannot do that'}.</p>`}
		<table class="snapshots" ref=${ref} tabindex="-1" aria-label="Snapshots"><thead class="unseen"><tr><th>Name</th><th>Taken</th><th>Notes</th><th>Actions</th></tr></thead>
			<tbody>${snapshotTree(list).map((s) => html`<${Row} key=${s.name} snapshot=${s} may=${may} onOpen=${(dialog, snapshot) => setOpen({ dialog, snapshot })} />`)}</tbody></table>
		${open && html`<${open.dialog} entry=${entry} snapshot=${open.snapshot} onClose=${close} />`}
	</section>`;
}
