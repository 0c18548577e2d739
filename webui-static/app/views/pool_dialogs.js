// SPDX-License-Identifier: GPL-2.0-or-later
// Dialogs of pools: made, described, filled, removed. An id may have slashes, so it is a parameter and no part of a path.
import * as api from '../api.js';
import { html } from '../html.js';
import { isGuest, kindShort, nameOf } from '../format.js';
import { go } from '../router.js';
import { getState } from '../store.js';
import { Dialog } from '../components/dialog.js';
import { FormDialog } from '../components/form.js';

const PATH = '/pools';
const fieldOf = (entry) => `member ${entry.key}`;

/** Pure. What may be put into a pool: guests and storages that are not in it, as { key, label, vmid?, storage?, from? }.
 * @param {Record<string, object>} resources @param {{storage?: string}[]} members */
export function candidates(resources, poolid, members) {
	const entries = Object.values(resources);
	const has = new Set(members.map((m) => m.storage));
	const guests = entries.filter((e) => isGuest(e) && e.pool !== poolid).sort((a, b) => a.vmid - b.vmid)
		.map((g) => ({ key: String(g.vmid), vmid: g.vmid, label: `${kindShort(g.type)} ${g.vmid} ${nameOf(g)}`, from: g.pool }));
	const storages = [...new Set(entries.filter((e) => e.type === 'storage').map((e) => e.storage))].filter((s) => !has.has(s)).sort()
		.map((storage) => ({ key: `storage ${storage}`, storage, label: `Storage ${storage}` }));
	return [...guests, ...storages];
}

/** Pure. The call that puts the chosen ones in. */
export function memberParams(poolid, list, values) {
	const chosen = list.filter((c) => values[fieldOf(c)]);
	const join = (part) => chosen.map((c) => c[part]).filter(Boolean).join(',') || undefined;
	return { poolid, vms: join('vmid'), storage: join('storage'), 'allow-move': chosen.some((c) => c.from) || undefined };
}

/** pool: undefined for a new one. */
export function PoolDialog({ pool, onClose }) {
	const call = ({ poolid, comment }) => ({ method: pool ? 'PUT' : 'POST', path: PATH, params: { poolid, comment: pool ? comment : comment || undefined } });
	const send = (v) => (pool ? api.put : api.post)(PATH, call(v).params);
	return html`<${FormDialog} title=${pool ? `Comment of pool ${pool.poolid}` : 'Add pool'} label=${pool ? 'Save' : 'Add'}
		initial=${{ poolid: pool?.poolid || '', comment: pool?.comment || '' }} check=${call} send=${send} onClose=${onClose}>
		${(field) => html`${!pool && field({ name: 'poolid', label: 'Name', wide: true, autofocus: true, placeholder: 'team-a' })}
			${field({ name: 'comment', label: 'Comment', wide: true, autofocus: Boolean(pool) })}`}
	<//>`;
}

export function AddMembers({ pool, onClose }) {
	const list = candidates(getState().resources, pool.poolid, pool.members);
	const send = (v) => api.put(PATH, memberParams(pool.poolid, list, v));
	if (!list.length)
		return html`<${Dialog} title=${`Add to pool ${pool.poolid}`} onClose=${onClose}><div class="empty"><p>All guests and storages are in it already.</p></div><//>`;
	return html`<${FormDialog} title=${`Add to pool ${pool.poolid}`} label="Add" initial=${Object.fromEntries(list.map((c) => [fieldOf(c), false]))} send=${send} onClose=${onClose}>
		${(field) => list.map((c) => field({ name: fieldOf(c), label: c.label, kind: 'checkbox', wide: true, hint: c.from ? `Comes out of pool ${c.from}.` : '' }))}
	<//>`;
}

export function RemoveMember({ pool, member, onClose }) {
	const what = isGuest(member) ? `${kindShort(member.type)} ${member.vmid}` : `storage ${member.storage}`;
	const send = () => api.put(PATH, { poolid: pool.poolid, delete: 1, [isGuest(member) ? 'vms' : 'storage']: member.vmid ?? member.storage });
	return html`<${FormDialog} title=${`Take ${what} out of ${pool.poolid}?`} label="Take out" initial=${{}} send=${send} onClose=${onClose}>
		${() => html`<p class="all">It stays as it is. Whoever may use it only because of the pool may not any more.</p>`}
	<//>`;
}

export function DeletePool({ pool, onClose }) {
	const done = () => {
		onClose();
		go('#/');
	};
	return html`<${FormDialog} title=${`Delete pool ${pool.poolid}?`} label="Delete" danger initial=${{}} send=${() => api.del(PATH, { poolid: pool.poolid })} onClose=${onClose} onDone=${done}>
		${() => html`<p class="all">Permissions on the pool go with it. A pool that has members is not deleted.</p>`}
	<//>`;
}
