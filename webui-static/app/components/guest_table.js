// SPDX-License-Identifier: GPL-2.0-or-later
// Guests as a table: used by the overview and by nodes.
import { html } from '../html.js';
import { bytes, duration, kindShort, nameOf, share, stateOf, tags } from '../format.js';
import { guestHref, href } from '../router.js';
import { dispatch } from '../store.js';
import { Icon } from './icon.js';
import { Meter } from './meter.js';
import { State } from './state.js';
import { Table } from './table.js';
import { Tags } from './tags.js';

const isUp = (g) => g.status === 'running' || g.status === 'paused';
const idle = html`<span class="faint">–</span>`;
const memory = (g) => share(g.mem, g.maxmem);

const COLUMNS = [
	{ key: 'vmid', label: 'ID', class: 'number', sort: (g) => g.vmid, cell: (g) => g.vmid },
	{ key: 'name', label: 'Name', class: 'name', sort: nameOf,
		cell: (g) => html`<a href=${guestHref(g)}><${Icon} name=${g.type} /><span>${nameOf(g)}</span></a><${Tags} list=${tags(g.tags)} />` },
	{ key: 'state', label: 'State', class: 'status', sort: (g) => g.status,
		cell: (g) => html`<${State} ...${stateOf(g)} />${g.lock && html` <span class="lock">${g.lock}</span>`}` },
	{ key: 'kind', label: 'Kind', class: 'wide', sort: (g) => g.type, cell: (g) => kindShort(g.type) },
	{ key: 'cpu', label: 'CPU', class: 'figure', sort: (g) => (isUp(g) ? g.cpu : -1),
		cell: (g) => (isUp(g) ? html`<${Meter} value=${g.cpu} label="CPU" />` : idle) },
	{ key: 'mem', label: 'Memory', class: 'figure mid', sort: (g) => (isUp(g) ? g.mem : -1),
		cell: (g) => (isUp(g) ? html`<${Meter} value=${memory(g)} label="Memory" text=${bytes(g.mem)} isCalm=${g.type === 'qemu'} />` : idle) },
	{ key: 'uptime', label: 'Uptime', class: 'wide number', sort: (g) => g.uptime || 0, cell: (g) => (isUp(g) ? duration(g.uptime) : idle) },
	{ key: 'node', label: 'Node', class: 'wide', sort: (g) => g.node, cell: (g) => g.node },
];
const POOL = { key: 'pool', label: 'Pool', class: 'wide', sort: (g) => g.pool || '', cell: (g) => (g.pool ? html`<a href=${href('pool', g.pool)}>${g.pool}</a>` : '') };

/** The column of pools stands where one of the guests is in one. */
const columnsOf = (guests) => (guests.some((g) => g.pool) ? [...COLUMNS, POOL] : COLUMNS);

const create = (kind) => () => dispatch({ type: 'create', kind });

const NONE = html`<p><b>No guests yet.</b></p><p>Create a container from a template, or a virtual machine from an ISO image.</p>
	<p class="buttons"><button type="button" class="main" onClick=${create('lxc')}>Create container</button>
	<button type="button" onClick=${create('qemu')}>Create VM</button></p>`;

/** @param {{guests: object[], id: string, isLoaded: boolean}} props */
export function GuestTable({ guests, id, isLoaded }) {
	return html`<${Table} id=${id} label="Guests" title="Guests" columns=${columnsOf(guests)} rows=${guests} rowKey=${(g) => g.id} href=${guestHref} sortBy="vmid"
		text=${(g) => [g.vmid, nameOf(g), stateOf(g).text, kindShort(g.type), g.node, g.pool || '', g.tags || ''].join(' ')}
		empty=${isLoaded ? NONE : html`<p>Loading…</p>`} />`;
}
