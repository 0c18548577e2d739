// SPDX-License-Identifier: GPL-2.0-or-later
// A node's interfaces: what they are, what was changed and waits to be applied.
import * as api from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { toastError, useStore } from '../store.js';
import { Icon } from '../components/icon.js';
import { State } from '../components/state.js';
import { Table } from '../components/table.js';
import { ApplyDialog, InterfaceDialog, RemoveInterface } from './network_dialogs.js';

const CHANGE = 'Sys.Modify';
const OWNERS = { lodge: 'Lodge', nat: 'Lodge’s own bridge (NAT)', host: 'the host' };
const stateOf = (i) => (i.exists === undefined ? { tone: 'paused', text: 'not made yet' } : i.active ? { tone: 'running', text: 'up' } : { tone: 'stopped', text: 'down' });
const lines = (...texts) => texts.filter(Boolean).map((t) => html`<div key=${t} class="mono">${t}</div>`);

const columnsOf = (may, onOpen) => [
	{ key: 'iface', label: 'Name', class: 'iface', sort: (i) => i.iface, cell: (i) => html`<span class="narrow-only"><${State} ...${stateOf(i)} short /> </span><b>${i.iface}</b>${i.comments && html`<p class="hint">${i.comments}</p>`}` },
	{ key: 'type', label: 'Type', class: 'mid', sort: (i) => i.type, cell: (i) => html`${i.type}${i.bridge_ports && html`<p class="hint">joins ${i.bridge_ports}</p>`}` },
	{ key: 'state', label: 'State', class: 'mid', sort: (i) => stateOf(i).text, cell: (i) => html`<${State} ...${stateOf(i)} />` },
	{ key: 'cidr', label: 'Addresses', class: 'address', sort: (i) => i.cidr || '', cell: (i) => lines(i.cidr, i.cidr6).concat(i.method === 'dhcp' ? html`<span class="hint">by DHCP</span>` : []) },
	{ key: 'gateway', label: 'Gateway', class: 'wide address', cell: (i) => lines(i.gateway, i.gateway6) },
	{ key: 'managed', label: 'Set by', class: 'wide', sort: (i) => i.managed, cell: (i) => OWNERS[i.managed] || i.managed },
	{ key: 'do', label: html`<span class="unseen">Actions</span>`, class: 'edit', cell: (i) => may(CHANGE) && i.managed !== 'nat' && html`
		<button type="button" class="quiet square" title="Change" aria-label=${`Change ${i.iface}`} onClick=${() => onOpen(InterfaceDialog, i)}><${Icon} name="edit" /></button>
		${i.managed === 'lodge' && html`<button type="button" class="quiet square" title="Remove" aria-label=${`Remove ${i.iface}`}
			onClick=${() => onOpen(RemoveInterface, i)}><${Icon} name="destroy" /></button>`}` },
];

function useInterfaces(node) {
	const [state, setState] = useState({ list: null, changes: '', error: null });
	const [count, setCount] = useState(0);
	const applied = useStore((s) => s.tasks.find((t) => t.type === 'srvreload' && t.endtime)?.upid);
	useEffect(() => {
		let isGone = false;
		const put = (part) => isGone || setState((old) => ({ ...old, ...part }));
		api.getDocument(api.path('nodes', node, 'network')).then(({ data, changes }) => put({ list: data, changes: changes || '', error: null }), (error) => put({ error }));
		return () => { isGone = true; };
	}, [node, count, applied]);
	return { ...state, reload: () => setCount((n) => n + 1) };
}

/** The difference as diff(1) shows it: added and removed lines in their colours, and with their signs. */
function Changes({ node, text, may, onApply, onReverted }) {
	const revert = () => api.del(api.path('nodes', node, 'network')).then(onReverted, (error) => toastError(error, 'Revert changes'));
	return html`<section class="panel"><div class="table-tools"><h2>Changes that are not applied yet</h2><span class="grow"></span>
			${may(CHANGE) && html`<button type="button" onClick=${revert}><${Icon} name="revert" />Revert</button>
			<button type="button" class="main" onClick=${onApply}>Apply…</button>`}</div>
		<pre class="log diff" tabindex="0" aria-label="Changes">${text.split('\n').map((line, n) =>
			html`<span key=${n} class=${line.startsWith('+') ? 'good' : line.startsWith('-') ? 'bad' : ''}>${line}${'\n'}</span>`)}</pre></section>`;
}

export function NodeNetwork({ node, may }) {
	const { list, changes, error, reload } = useInterfaces(node);
	const [open, setOpen] = useState(null);
	const show = (dialog, iface) => setOpen({ dialog, iface });
	const close = () => {
		setOpen(null);
		reload();
	};
	if (!list)
		return html`<div class="empty"><p>${error ? (api.isMissing(error) ? 'The network of this node cannot be changed here: it is not available.' : error.message) : 'Loading…'}</p></div>`;
	return html`${changes && html`<${Changes} node=${node} text=${changes} may=${may} onApply=${() => show(ApplyDialog)} onReverted=${reload} />`}
		<section class="panel"><${Table} id="interfaces" label="Interfaces" title="Interfaces" columns=${columnsOf(may, show)} rows=${list} rowKey=${(i) => i.iface} sortBy="iface"
			empty=${html`<p>No interfaces.</p>`} tools=${may(CHANGE) && html`<button type="button" onClick=${() => show(InterfaceDialog)}><${Icon} name="plus" />Add bridge</button>`} /></section>
		${open && html`<${open.dialog} node=${node} iface=${open.iface} list=${list} onClose=${close} />`}`;
}
