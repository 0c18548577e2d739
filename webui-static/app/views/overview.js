// SPDX-License-Identifier: GPL-2.0-or-later
// The first view: nodes at a glance, all guests, what happened last.
import { html, useEffect } from '../html.js';
import { bytes, duration, isGuest, percent, share, stateOf } from '../format.js';
import { href } from '../router.js';
import { useStore } from '../store.js';
import { GuestTable } from '../components/guest_table.js';
import { Meter } from '../components/meter.js';
import { State } from '../components/state.js';
import { TaskTable } from '../components/task_table.js';
import { Pools } from './pool.js';

const RECENT = 8;

function NodeCard({ node, guests }) {
	const running = guests.filter((g) => g.status === 'running').length;
	const figure = (label, value, text) => html`<div><dt>${label}</dt><dd><${Meter} value=${value} label=${label} text=${text} /></dd></div>`;
	return html`<a class="card node-card" href=${href('node', node.node)}>
		<h2>${node.node} <${State} ...${stateOf(node)} /></h2>
		<p class="faint">${running} of ${guests.length} ${guests.length === 1 ? 'guest' : 'guests'} running · up ${duration(node.uptime)}</p>
		<dl class="figures">
			${figure('CPU', node.cpu, `${percent(node.cpu)} of ${node.maxcpu ?? '–'}`)}
			${figure('Memory', share(node.mem, node.maxmem), `${bytes(node.mem)} of ${bytes(node.maxmem)}`)}
			${figure('Disk', share(node.disk, node.maxdisk), `${bytes(node.disk)} of ${bytes(node.maxdisk)}`)}
		</dl></a>`;
}

export function Overview() {
	const resources = useStore((s) => s.resources);
	const isLoaded = useStore((s) => s.isLoaded);
	const tasks = useStore((s) => s.tasks).filter((t) => t.type !== 'vncproxy'); // looking is no news
	const entries = Object.values(resources);
	const guests = entries.filter(isGuest);
	const nodes = entries.filter((e) => e.type === 'node');

	useEffect(() => { document.title = 'Overview · Lodge'; }, []);
	return html`<div class="view">
		<h1 class="unseen">Overview</h1>
		<div class="cards">${nodes.map((n) => html`<${NodeCard} key=${n.id} node=${n} guests=${guests.filter((g) => g.node === n.node)} />`)}</div>
		<section class="panel"><${GuestTable} id="overview" guests=${guests} isLoaded=${isLoaded} /></section>
		<${Pools} />
		<section class="panel"><${TaskTable} id="overview-tasks" title="Last tasks" tasks=${tasks.slice(0, RECENT)} />
			${tasks.length > RECENT && html`<p class="more"><a href="#/tasks">All tasks</a></p>`}</section>
	</div>`;
}
