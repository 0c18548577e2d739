// SPDX-License-Identifier: GPL-2.0-or-later
// Pools: the panel of all of them, and the view of one with its members.
import * as api from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { isGuest, kindShort, nameOf, stateOf } from '../format.js';
import { guestHref, href } from '../router.js';
import { useStore } from '../store.js';
import { Icon } from '../components/icon.js';
import { useMay } from '../components/rights.js';
import { State } from '../components/state.js';
import { Table } from '../components/table.js';
import { AddMembers, DeletePool, PoolDialog, RemoveMember } from './pool_dialogs.js';

const CHANGE = 'Pool.Allocate';

/** Another text whenever a pool or a guest's pool has changed. */
const changed = ({ resources }) => Object.values(resources).filter((e) => e.pool).map((e) => `${e.id} ${e.pool}`).join();

function usePools(poolid) {
	const [state, setState] = useState({ list: null, error: '' });
	const [count, setCount] = useState(0);
	const after = useStore(changed);
	useEffect(() => {
		let isGone = false;
		const put = (next) => isGone || setState((old) => ({ ...old, ...next }));
		api.get('/pools', { poolid }).then((list) => put({ list, error: '' }), (e) => put({ error: e.message }));
		return () => { isGone = true; };
	}, [poolid, after, count]);
	return { ...state, reload: () => setCount((n) => n + 1) };
}

const guestsOf = (resources, poolid) => Object.values(resources).filter((e) => isGuest(e) && e.pool === poolid);

const columnsOf = (resources) => [
	{ key: 'pool', label: 'Pool', class: 'name', sort: (p) => p.poolid, cell: (p) => html`<a href=${href('pool', p.poolid)}><${Icon} name="pool" /><span>${p.poolid}</span></a>` },
	{ key: 'guests', label: 'Guests', class: 'number', sort: (p) => guestsOf(resources, p.poolid).length, cell: (p) => guestsOf(resources, p.poolid).length },
	{ key: 'comment', label: 'Comment', class: 'mid', sort: (p) => p.comment || '', cell: (p) => p.comment || '' },
];

export function Pools() {
	const resources = useStore((s) => s.resources);
	const { list, error, reload } = usePools();
	const may = useMay('/pool');
	const [isAdding, setAdding] = useState(false);
	const close = () => {
		setAdding(false);
		reload();
	};
	return html`<section class="panel"><${Table} id="pools" label="Pools" title="Pools" columns=${columnsOf(resources)} rows=${list || []} rowKey=${(p) => p.poolid} sortBy="pool"
			href=${(p) => href('pool', p.poolid)} empty=${html`<p>${error || (list ? 'No pools. A pool holds guests and storages that belong together, to give rights on all of them at once.' : 'Loading…')}</p>`}
			tools=${may(CHANGE) && html`<button type="button" onClick=${() => setAdding(true)}><${Icon} name="plus" />Add pool</button>`} /></section>
		${isAdding && html`<${PoolDialog} onClose=${close} />`}`;
}

const nameOfMember = (m) => (isGuest(m) ? nameOf(m) : m.storage);
const linkOf = (m) => (isGuest(m) ? guestHref(m) : href('storage', m.node, m.storage));
const keyOf = (m) => (isGuest(m) ? `${m.type}/${m.vmid}` : `storage/${m.storage}`);

const membersOf = (may, onOpen) => [
	{ key: 'id', label: 'ID', class: 'number', sort: (m) => m.vmid ?? '', cell: (m) => m.vmid ?? '' },
	{ key: 'name', label: 'Name', class: 'name', sort: nameOfMember, cell: (m) => html`<a href=${linkOf(m)}><${Icon} name=${m.type} /><span>${nameOfMember(m)}</span></a>` },
	{ key: 'kind', label: 'Kind', class: 'mid', sort: (m) => m.type, cell: (m) => (isGuest(m) ? kindShort(m.type) : 'Storage') },
	{ key: 'state', label: 'State', class: 'status', sort: (m) => m.status || '', cell: (m) => m.status && html`<${State} ...${stateOf(m)} />` },
	{ key: 'node', label: 'Node', class: 'wide', sort: (m) => m.node, cell: (m) => m.node },
	{ key: 'do', label: html`<span class="unseen">Actions</span>`, class: 'edit', cell: (m) => may(CHANGE) && html`<button type="button" class="quiet square" title="Take out"
		aria-label=${`Take out ${nameOfMember(m)}`} onClick=${() => onOpen(RemoveMember, m)}><${Icon} name="detach" /></button>` },
];

export function Pool({ pool: poolid }) {
	const resources = useStore((s) => s.resources);
	const { list, error, reload } = usePools(poolid);
	const may = useMay(`/pool/${poolid}`);
	const [open, setOpen] = useState(null);
	const show = (dialog, member) => setOpen({ dialog, member });
	const close = () => {
		setOpen(null);
		reload();
	};
	const pool = list?.[0];
	const members = (pool?.members || []).map((m) => resources[keyOf(m)] || m); // figures as they are now
	const button = (label, icon, dialog, more) => html`<button type="button" class=${more} onClick=${() => show(dialog)}><${Icon} name=${icon} />${label}</button>`;

	useEffect(() => { document.title = `${poolid} · Lodge`; }, [poolid]);
	if (!pool)
		return html`<div class="empty"><h1>${poolid}</h1><p>${error || 'Loading…'}</p></div>`;
	return html`<div class="view">
		<header class="head"><p class="crumb">Pool</p><h1><span>${poolid}</span></h1>
			<div class="actions">${may(CHANGE) && html`${button('Add members', 'plus', AddMembers, 'main')}${button('Comment', 'edit', PoolDialog)}${button('Delete', 'destroy', DeletePool, 'danger')}`}</div></header>
		${pool.comment && html`<p class="faint">${pool.comment}</p>`}
		<section class="panel"><${Table} id="members" label="Members" title="Members" columns=${membersOf(may, show)} rows=${members} rowKey=${keyOf} sortBy="name"
			empty=${html`<p>Nothing is in this pool.</p>`} /></section>
		${open && html`<${open.dialog} pool=${pool} member=${open.member} onClose=${close} />`}
	</div>`;
}
