// SPDX-License-Identifier: GPL-2.0-or-later
// A node's load, its guests, its storages.
import * as api from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { bytes, duration, isGuest, percent, share, stateOf } from '../format.js';
import { href } from '../router.js';
import { useStore } from '../store.js';
import { GuestTable } from '../components/guest_table.js';
import { Icon } from '../components/icon.js';
import { Meter } from '../components/meter.js';
import { useMay } from '../components/rights.js';
import { Sparkline } from '../components/sparkline.js';
import { State } from '../components/state.js';
import { Table } from '../components/table.js';
import { DefinitionDialog } from './storage_definition.js';

const STORAGES = [
	{ key: 'name', label: 'Storage', class: 'name', sort: (s) => s.storage, cell: (s) => html`<a href=${href('storage', s.node, s.storage)}><span>${s.storage}</span></a>` },
	{ key: 'state', label: 'State', sort: (s) => s.status, cell: (s) => html`<${State} ...${stateOf(s)} />` },
	{ key: 'type', label: 'Type', class: 'mid', sort: (s) => s.plugintype, cell: (s) => s.plugintype },
	{ key: 'content', label: 'Content', class: 'wide', cell: (s) => (s.content || '').split(',').join(', ') },
	{ key: 'used', label: 'Used', class: 'figure', sort: (s) => share(s.disk, s.maxdisk) ?? -1,
		cell: (s) => html`<${Meter} value=${share(s.disk, s.maxdisk)} label="Used" text=${bytes(s.disk)} />` },
	{ key: 'size', label: 'Size', class: 'number mid', sort: (s) => s.maxdisk, cell: (s) => bytes(s.maxdisk) },
];

function useStatus(node) {
	const [status, setStatus] = useState(null);
	const [error, setError] = useState('');
	useEffect(() => {
		api.get(api.path('nodes', node, 'status')).then(setStatus, (e) => setError(e.message));
	}, [node]);
	return { status, error };
}

function Figure({ label, value, text, samples, max }) {
	return html`<section class="panel figure-panel"><h2>${label}</h2><${Meter} value=${value} label=${label} text=${text} />
		${samples && html`<${Sparkline} values=${samples} max=${max} label=${`${label}, the last minutes`} />`}</section>`;
}

function Host({ entry, status, error }) {
	const row = (label, value) => html`<div key=${label}><dt>${label}</dt><dd>${value}</dd></div>`;
	if (!status)
		return html`<p class="faint">${error || 'Loading…'}</p>`;
	return html`<dl class="facts">
		${row('Uptime', duration(entry.uptime))}${row('Load', status.loadavg.join('  '))}
		${row('Processor', `${status.cpuinfo.model}, ${status.cpuinfo.cpus} CPUs`)}
		${row('Kernel', `${status['current-kernel']?.sysname ?? ''} ${status['current-kernel']?.release ?? ''}`)}
		${row('Swap', `${bytes(status.swap.used)} of ${bytes(status.swap.total)}`)}
	</dl>`;
}

export function NodeSummary({ node, entry }) {
	const resources = useStore((s) => s.resources);
	const isLoaded = useStore((s) => s.isLoaded);
	const samples = useStore((s) => s.history[`node/${node}`]);
	const { status, error } = useStatus(node);
	const [isAdding, setAdding] = useState(false);
	const may = useMay('/storage');
	const mine = Object.values(resources).filter((e) => e.node === node);

	return html`<div class="cards">
			<${Figure} label="CPU" value=${entry.cpu} text=${`${percent(entry.cpu)} of ${entry.maxcpu ?? '–'} CPUs`} samples=${(samples || []).map((s) => s.cpu)} max=${1} />
			<${Figure} label="Memory" value=${share(entry.mem, entry.maxmem)} text=${`${bytes(entry.mem)} of ${bytes(entry.maxmem)}`}
				samples=${(samples || []).map((s) => s.mem)} max=${entry.maxmem} />
			<${Figure} label="Root file system" value=${share(entry.disk, entry.maxdisk)} text=${`${bytes(entry.disk)} of ${bytes(entry.maxdisk)}`} />
		</div>
		<section class="panel pad"><h2>Host</h2><${Host} entry=${entry} status=${status} error=${error} /></section>
		<section class="panel"><${GuestTable} id=${`node-${node}`} guests=${mine.filter(isGuest)} isLoaded=${isLoaded} /></section>
		<section class="panel"><${Table} id="storages" label="Storages" title="Storages" columns=${STORAGES} rows=${mine.filter((e) => e.type === 'storage')}
			rowKey=${(s) => s.id} sortBy="name" href=${(s) => href('storage', s.node, s.storage)} empty=${html`<p>No storages.</p>`}
			tools=${may('Datastore.Allocate') && html`<button type="button" onClick=${() => setAdding(true)}><${Icon} name="plus" />Add storage</button>`} /></section>
		${isAdding && html`<${DefinitionDialog} onClose=${() => setAdding(false)} />`}`;
}
