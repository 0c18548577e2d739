// SPDX-License-Identifier: GPL-2.0-or-later
// Dialogs of a node's network: interfaces, and applying with a way back: what is not confirmed in time goes back by itself.
import * as api from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { taskState } from '../format.js';
import { watchTask } from '../live.js';
import { dispatch } from '../store.js';
import { Dialog } from '../components/dialog.js';
import { FormDialog } from '../components/form.js';
import { Log } from '../components/log.js';

const TEXTS = ['cidr', 'gateway', 'cidr6', 'gateway6', 'bridge_ports', 'mtu', 'comments'];
const UNSEEN = ['comments6']; // without a field here, and kept

/** The first "vmbrN" that nothing is called. Pure. */
export function freeBridge(list) {
	for (let n = 0; ; n++)
		if (!list.some((i) => i.iface === `vmbr${n}`))
			return `vmbr${n}`;
}

/** Pure. All settings: those that are left out go. */
export function interfaceParams(v, isNew) {
	const given = [...TEXTS, ...UNSEEN].filter((key) => v[key]).map((key) => [key, v[key]]);
	return { ...(isNew ? { iface: v.iface } : {}), type: v.type, ...Object.fromEntries(given), autostart: v.autostart };
}

/** Pure. What the fields show. Of the host's own interfaces nobody says when they are set up: with the node, as a rule. */
export function interfaceValues(iface) {
	const texts = Object.fromEntries([...TEXTS, ...UNSEEN].map((key) => [key, String(iface[key] ?? '')]));
	return { iface: iface.iface, type: iface.type, autostart: Boolean(iface.autostart) || iface.managed === 'host', ...texts };
}

/** iface: undefined for a new bridge. */
export function InterfaceDialog({ node, iface, list, onClose }) {
	const isNew = !iface;
	const path = isNew ? api.path('nodes', node, 'network') : api.path('nodes', node, 'network', iface.iface);
	const call = (v) => ({ method: isNew ? 'POST' : 'PUT', path, params: interfaceParams(v, isNew) });
	const send = (v) => (isNew ? api.post : api.put)(path, call(v).params);
	const initial = interfaceValues(iface || { iface: freeBridge(list), type: 'bridge', autostart: 1 });
	return html`<${FormDialog} title=${isNew ? 'Add bridge' : `Change ${iface.iface}`} wide initial=${initial} check=${call} send=${send} onClose=${onClose}>
		${(field, { values }) => html`
			${iface?.managed === 'host' && html`<p class="all note">The host sets this interface up now. When it is changed here Lodge does, from then on.</p>`}
			${isNew && field({ name: 'iface', label: 'Name', wide: true })}
			${field({ name: 'cidr', label: 'IPv4 address', placeholder: '192.0.2.2/24', autofocus: true })}
			${field({ name: 'gateway', label: 'IPv4 gateway', placeholder: 'none' })}
			${field({ name: 'cidr6', label: 'IPv6 address', placeholder: '2001:db8::2/64' })}
			${field({ name: 'gateway6', label: 'IPv6 gateway', placeholder: 'none' })}
			${values.type === 'bridge' && field({ name: 'bridge_ports', label: 'Joins the interfaces', placeholder: 'eno1' })}
			${field({ name: 'mtu', label: 'MTU', kind: 'number', placeholder: 'default', wide: values.type !== 'bridge' })}
			${field({ name: 'comments', label: 'Notes', kind: 'textarea', wide: true })}
			${field({ name: 'autostart', label: 'Set up with the node', kind: 'checkbox', wide: true })}
			<p class="all hint">Nothing happens before the changes are applied.</p>`}
	<//>`;
}

export function RemoveInterface({ node, iface, onClose }) {
	const send = () => api.del(api.path('nodes', node, 'network', iface.iface));
	return html`<${FormDialog} title=${`Remove ${iface.iface}?`} label="Remove" danger initial=${{}} send=${send} onClose=${onClose}>
		${() => html`<p class="all">${iface.type === 'bridge' ? 'The bridge goes' : 'Lodge does not set it up any more; it stays as it is'} when the changes are applied.</p>`}
	<//>`;
}

/* ---- applying ---- */

const TICK = 1000; /* ms */
const SILENCE = 3000; /* ms without an answer: an address that is gone refuses nothing */

/** Asks for the task each second: that the node is reached is what confirms. { left, isLost, end }: seconds, and how the task ended. */
function useApplied(node, upid, seconds) {
	const [state, setState] = useState({ left: seconds, isLost: false, end: null });
	useEffect(() => {
		let isGone = false, asked = 0; // when a call was made that is not answered yet
		const until = Date.now() + seconds * 1000;
		const put = (part) => isGone || setState((old) => (old.end ? old : { ...old, ...part }));
		const tick = async () => {
			put({ left: Math.max(0, Math.ceil((until - Date.now()) / 1000)) });
			if (asked) {
				put({ isLost: Date.now() - asked > SILENCE });
				return;
			}
			asked = Date.now();
			try {
				const status = await api.get(api.path('nodes', node, 'tasks', upid, 'status'));
				put({ isLost: false, end: status.status === 'stopped' ? taskState({ endtime: 1, status: status.exitstatus }) : null });
			} catch {
				put({ isLost: true });
			}
			asked = 0;
		};
		const timer = setInterval(tick, TICK);
		tick();
		return () => {
			isGone = true;
			clearInterval(timer);
		};
	}, [upid]);
	return state;
}

function sayWhere({ left, isLost, end }, isBack) {
	if (isBack && !end)
		return 'Everything goes back…';
	if (end)
		return end.tone === 'failed' ? 'The changes went back: the network is as it was before.' : 'The changes are applied, and kept.';
	if (isLost)
		return `The node does not answer this page. Unless it does, everything goes back in ${left} s. Under a new address, log in there to keep the changes.`;
	return `The changes are kept as soon as the node hears of this page again; otherwise they go back in ${left} s.`;
}

function Applied({ node, upid, seconds, onClose }) {
	const state = useApplied(node, upid, seconds);
	const [error, setError] = useState('');
	const [isBack, setBack] = useState(false);
	const tell = (e) => setError(e.message);
	const goBack = async () => {
		setBack(true);
		dispatch({ type: 'unwatch', upid }); // that it ends so is wanted
		try {
			await api.del(api.path('nodes', node, 'tasks', upid));
		} catch (failure) {
			setBack(false);
			tell(failure);
		}
	};
	useEffect(() => { watchTask(upid, 'Apply network changes'); }, [upid]);
	return html`<${Dialog} title="Applying network changes" wide onClose=${onClose}>
		<div class="task-dialog"><p class="countdown" role="status" data-end=${state.end ? state.end.tone : undefined}>${sayWhere(state, isBack)}</p>
			<${Log} node=${node} upid=${upid} isRunning=${!state.end} /><p class="form-error" role="alert">${error}</p></div>
		<footer class="plain">${state.end ? html`<button type="button" class="main" onClick=${onClose}>Close</button>` : html`
			<button type="button" disabled=${isBack} onClick=${goBack}>Go back now</button>
			<button type="button" class="main" disabled=${isBack} onClick=${() => api.post(api.path('nodes', node, 'network', 'confirm')).catch(tell)}>Keep the changes</button>`}</footer>
	<//>`;
}

export function ApplyDialog({ node, onClose }) {
	const [started, setStarted] = useState(null);
	const send = async ({ seconds }) => ({ seconds: Number(seconds), upid: await api.put(api.path('nodes', node, 'network'), { 'confirm-timeout': seconds }) });
	if (started)
		return html`<${Applied} node=${node} ...${started} onClose=${onClose} />`;
	return html`<${FormDialog} title="Apply network changes?" label="Apply" initial=${{ seconds: '60' }} send=${send} onDone=${setStarted} onClose=${onClose}>
		${(field) => html`<p class="all">Guests on bridges that change may lose their network for a moment. When the node loses its way out, or does not
				hear of this page again in time, everything goes back.</p>
			${field({ name: 'seconds', label: 'Go back unless confirmed within', kind: 'number', min: 5, max: 600, unit: 's', wide: true, errorsOf: 'confirm-timeout', autofocus: true })}`}
	<//>`;
}
