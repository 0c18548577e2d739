// SPDX-License-Identifier: GPL-2.0-or-later
// A storage and what lies on it. Nothing is changed here.
import * as api from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { bytes, share, stateOf, time } from '../format.js';
import { href } from '../router.js';
import { useStore } from '../store.js';
import { Meter } from '../components/meter.js';
import { State } from '../components/state.js';
import { Table } from '../components/table.js';

const KINDS = { images: 'Disk', rootdir: 'Container volume', iso: 'ISO image', vztmpl: 'Container template', backup: 'Backup', snippets: 'Snippet', import: 'Import' };
const kindOf = (v) => KINDS[v.content] || v.content;

const COLUMNS = [
	{ key: 'volid', label: 'Volume', class: 'name', sort: (v) => v.volid, cell: (v) => html`<span class="mono">${v.volid}</span>` },
	{ key: 'kind', label: 'Kind', class: 'mid', sort: kindOf, cell: kindOf },
	{ key: 'format', label: 'Format', class: 'wide', sort: (v) => v.format, cell: (v) => v.format },
	{ key: 'vmid', label: 'Guest', class: 'wide number', sort: (v) => v.vmid || 0, cell: (v) => v.vmid || html`<span class="faint">–</span>` },
	{ key: 'size', label: 'Size', class: 'number', sort: (v) => v.size, cell: (v) => bytes(v.size) },
	{ key: 'ctime', label: 'Made', class: 'wide number', sort: (v) => v.ctime || 0, cell: (v) => time(v.ctime) },
];

export function Storage({ node, storage }) {
	const entry = useStore((s) => s.resources[`storage/${node}/${storage}`]);
	const [volumes, setVolumes] = useState(null);
	const [error, setError] = useState('');

	useEffect(() => {
		document.title = `${storage} on ${node} · Lodge`;
		api.get(`${api.path('nodes', node, 'storage', storage)}/content`).then(setVolumes, (e) => setError(e.message));
	}, [node, storage]);
	return html`<div class="view">
		<header class="head"><p class="crumb">Storage on <a href=${href('node', node)}>${node}</a></p>
			<h1><span>${storage}</span> ${entry && html`<${State} ...${stateOf(entry)} />`}</h1></header>
		${entry && html`<section class="panel pad"><dl class="facts">
			<div><dt>Used</dt><dd><${Meter} value=${share(entry.disk, entry.maxdisk)} label="Used" text=${`${bytes(entry.disk)} of ${bytes(entry.maxdisk)}`} /></dd></div>
			<div><dt>Type</dt><dd>${entry.plugintype}</dd></div>
			<div><dt>Content</dt><dd>${(entry.content || '').split(',').join(', ')}</dd></div>
			<div><dt>Shared</dt><dd>${entry.shared ? 'yes' : 'no'}</dd></div></dl></section>`}
		<section class="panel"><${Table} id="volumes" label="Volumes" title="Volumes" columns=${COLUMNS} rows=${volumes || []} rowKey=${(v) => v.volid}
			sortBy="volid" text=${(v) => `${v.volid} ${kindOf(v)}`} empty=${html`<p>${error || (volumes ? 'Nothing lies here.' : 'Loading…')}</p>`} /></section>
	</div>`;
}
