// SPDX-License-Identifier: GPL-2.0-or-later
// A storage: its state, what lies on it by kind, and what can be done with both.
import * as api from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { bytes, share, stateOf, time } from '../format.js';
import { href } from '../router.js';
import { useStore } from '../store.js';
import { Icon } from '../components/icon.js';
import { Meter } from '../components/meter.js';
import { useMay } from '../components/rights.js';
import { State } from '../components/state.js';
import { Table } from '../components/table.js';
import { PruneDialog } from './prune_dialog.js';
import { DefinitionDialog, UndefineDialog } from './storage_definition.js';
import { DeleteVolume, DescribeVolume, DownloadDialog, MakeTemplates } from './storage_dialogs.js';
import { CONTENTS, FILE_KINDS } from './storage_kinds.js';
import { UploadDialog } from './upload_dialog.js';

const kindOf = (v) => CONTENTS[v.content] || v.content;
const none = html`<span class="faint">–</span>`;

const DEFINE = 'Datastore.Allocate', MAKE = 'Datastore.AllocateTemplate', DELETE = 'Datastore.Allocate|Datastore.AllocateSpace|Datastore.AllocateTemplate';

const columnsOf = (may, onOpen) => [
	{ key: 'volume', label: 'Volume', class: 'name', sort: (v) => v.volid, cell: (v) => html`<span class="mono">${v.volid}</span>${
		v.notes && html`<p class="hint">${v.notes}</p>`}` },
	{ key: 'kind', label: 'Kind', class: 'mid', sort: kindOf, cell: (v) => html`${kindOf(v)}${Boolean(v.protected) && html` <span class="lock">protected</span>`}` },
	{ key: 'format', label: 'Format', class: 'wide', sort: (v) => v.format, cell: (v) => v.format },
	{ key: 'vmid', label: 'Guest', class: 'wide number', sort: (v) => v.vmid || 0, cell: (v) => v.vmid || none },
	{ key: 'size', label: 'Size', class: 'number', sort: (v) => v.size, cell: (v) => bytes(v.size) },
	{ key: 'ctime', label: 'Made', class: 'wide number', sort: (v) => v.ctime || 0, cell: (v) => time(v.ctime) },
	{ key: 'do', label: html`<span class="unseen">Actions</span>`, class: 'edit', cell: (v) => may(DELETE) && html`
		${v.content === 'backup' && html`<button type="button" class="quiet square" title="Notes and protection" aria-label=${`Notes and protection of ${v.volid}`}
			onClick=${() => onOpen(DescribeVolume, v)}><${Icon} name="edit" /></button>`}
		<button type="button" class="quiet square" title="Delete" aria-label=${`Delete ${v.volid}`} onClick=${() => onOpen(DeleteVolume, v)}><${Icon} name="destroy" /></button>` },
];

const CHANGES = /^(img|download)|(create|destroy|clone|move|resize|restore|snapshot|rollback|template|config)$|^prunebackups$/;
/** Another text whenever a task has ended that may have changed what lies somewhere. */
const changed = ({ tasks }) => tasks.filter((t) => t.endtime && CHANGES.test(t.type)).map((t) => t.upid).slice(0, 5).join();

function useStorage(node, storage) {
	const [state, setState] = useState({ volumes: null, status: null, error: '' });
	const [count, setCount] = useState(0);
	const after = useStore(changed);
	const where = api.path('nodes', node, 'storage', storage);
	useEffect(() => {
		let isGone = false;
		const put = (part) => isGone || setState((old) => ({ ...old, ...part }));
		api.get(`${where}/content`).then((volumes) => put({ volumes, error: '' }), (e) => put({ error: e.message }));
		api.get(`${where}/status`).then((status) => put({ status }), () => {});
		return () => { isGone = true; };
	}, [where, after, count]);
	return { ...state, reload: () => setCount((n) => n + 1) };
}

function Status({ entry, status }) {
	const used = status?.used ?? entry.disk, total = status?.total ?? entry.maxdisk;
	return html`<section class="panel pad"><dl class="facts">
		<div><dt>Used</dt><dd><${Meter} value=${share(used, total)} label="Used" text=${`${bytes(used)} of ${bytes(total)}`} /></dd></div>
		${status && html`<div><dt>Free for new volumes</dt><dd>${bytes(status.avail)}</dd></div>`}
		<div><dt>Type</dt><dd>${entry.plugintype}</dd></div>
		<div><dt>Content</dt><dd>${(entry.content || '').split(',').join(', ')}</dd></div>
		<div><dt>Shared</dt><dd>${entry.shared ? 'yes' : 'no'}</dd></div></dl></section>`;
}

/** Which kinds are shown: all, or one of those that the storage is for. */
function Kinds({ kinds, chosen, onChoose }) {
	return kinds.length > 1 && html`<span class="choice wrap" role="group" aria-label="Kind of volumes">${['', ...kinds].map((k) =>
		html`<button type="button" key=${k} aria-pressed=${k === chosen ? 'true' : 'false'} onClick=${() => onChoose(k)}>${k ? CONTENTS[k] || k : 'All'}</button>`)}</span>`;
}

function Actions({ kinds, may, onOpen }) {
	const can = (...some) => some.some((k) => kinds.includes(k));
	const button = (label, icon, dialog, more) => html`<button type="button" class=${more} onClick=${() => onOpen(dialog)}><${Icon} name=${icon} />${label}</button>`;
	return html`<div class="actions">
		${may(MAKE) && can(...FILE_KINDS) && button('Upload', 'upload', UploadDialog, 'main')}
		${may(MAKE) && can('iso', 'vztmpl', 'import') && button('Download', 'download', DownloadDialog)}
		${may(MAKE) && can('vztmpl') && button('Make template', 'template', MakeTemplates)}
		${may('Datastore.Allocate|Datastore.AllocateSpace') && can('backup') && button('Prune', 'snapshot', PruneDialog)}
		${may(DEFINE) && html`${button('Edit', 'edit', DefinitionDialog)}${button('Remove', 'destroy', UndefineDialog, 'danger')}`}</div>`;
}

export function Storage({ node, storage }) {
	const entry = useStore((s) => s.resources[`storage/${node}/${storage}`]);
	const { volumes, status, error, reload } = useStorage(node, storage);
	const [kind, setKind] = useState('');
	const [open, setOpen] = useState(null);
	const show = (dialog, volume) => setOpen({ dialog, volume });
	const close = () => {
		setOpen(null);
		reload();
	};
	const may = useMay(`/storage/${storage}`);
	const kinds = (entry?.content || '').split(',').filter((k) => CONTENTS[k]);
	const shown = (volumes || []).filter((v) => !kind || v.content === kind);

	useEffect(() => { document.title = `${storage} on ${node} · Lodge`; }, [node, storage]);
	return html`<div class="view">
		<header class="head"><p class="crumb">Storage on <a href=${href('node', node)}>${node}</a></p>
			<h1><span>${storage}</span> ${entry && html`<${State} ...${stateOf(entry)} />`}</h1>
			${entry && html`<${Actions} kinds=${kinds} may=${may} onOpen=${show} />`}</header>
		${entry && html`<${Status} entry=${entry} status=${status} />`}
		<${Kinds} kinds=${kinds} chosen=${kind} onChoose=${setKind} />
		<section class="panel"><${Table} id="volumes" label="Volumes" title="Volumes" columns=${columnsOf(may, show)} rows=${shown} rowKey=${(v) => v.volid}
			sortBy="volume" text=${(v) => `${v.volid} ${kindOf(v)} ${v.notes || ''}`} empty=${html`<p>${error || (volumes ? 'Nothing lies here.' : 'Loading…')}</p>`} /></section>
		${open && html`<${open.dialog} node=${node} storage=${storage} kinds=${kinds} volume=${open.volume} onClose=${close} />`}
	</div>`;
}
