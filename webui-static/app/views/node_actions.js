// SPDX-License-Identifier: GPL-2.0-or-later
// What is done with a node and with all of its guests at once. Each asks first, and names the guests that it concerns.
import * as api from '../api.js';
import { html, useState } from '../html.js';
import { isGuest, nameOf } from '../format.js';
import { watchTask } from '../live.js';
import { toast, useStore } from '../store.js';
import { FormDialog } from '../components/form.js';
import { Icon } from '../components/icon.js';
import { Menu } from '../components/menu.js';
import { useMaySomewhere } from '../components/rights.js';

const NAMED = 12;

/** Pure. Guests of a node that are up, or that are not and could be started. */
export function guestsOf(resources, node, isUp) {
	return Object.values(resources).filter((e) => isGuest(e) && e.node === node && (isUp ? e.status !== 'stopped' : e.status === 'stopped' && !e.template))
		.sort((a, b) => a.vmid - b.vmid);
}

/** Pure. "100 proxy, 101 database and 3 more" */
export function inWords(guests) {
	const names = guests.slice(0, NAMED).map((g) => `${g.vmid} ${nameOf(g)}`);
	return names.join(', ') + (guests.length > NAMED ? ` and ${guests.length - NAMED} more` : '');
}

function StartAll({ node, guests, onClose }) {
	const send = async ({ force }) => { watchTask(await api.post(`${api.path('nodes', node)}/startall`, { force: force || undefined }), `Start all on ${node}`); };
	return html`<${FormDialog} title=${`Start all guests on ${node}?`} label="Start all" initial=${{ force: false }} send=${send} onClose=${onClose}>
		${(field) => html`<p class="all">${guests.length ? `Stopped: ${inWords(guests)}.` : 'No guest is stopped.'}</p>
			${field({ name: 'force', label: 'Also those that do not start with the node', kind: 'checkbox', wide: true })}`}
	<//>`;
}

function StopAll({ node, guests, onClose }) {
	const path = `${api.path('nodes', node)}/stopall`;
	const params = ({ timeout, force }) => ({ timeout, 'force-stop': force ? 1 : 0 });
	const send = async (v) => { watchTask(await api.post(path, params(v)), `Stop all on ${node}`); };
	return html`<${FormDialog} title=${`Stop all guests on ${node}?`} label="Stop all" danger initial=${{ timeout: '180', force: true }} send=${send} onClose=${onClose}
		check=${(v) => ({ method: 'POST', path, params: params(v) })}>
		${(field) => html`<p class="all">${guests.length ? `Shut down: ${inWords(guests)}.` : 'No guest is running.'}</p>
			${field({ name: 'timeout', label: 'Each has at most', kind: 'number', min: 0, unit: 's', wide: true })}
			${field({ name: 'force', label: 'Stop it when it takes longer', kind: 'checkbox', wide: true, errorsOf: 'force-stop' })}`}
	<//>`;
}

const power = (command, label, after) => function Power({ node, guests, onClose }) {
	const send = async () => {
		await api.post(`${api.path('nodes', node)}/status`, { command });
		toast('note', `${node}: ${label.toLowerCase()} was asked for.`);
	};
	return html`<${FormDialog} title=${`${label} node ${node}?`} label=${label} danger initial=${{}} send=${send} onClose=${onClose}>
		${() => html`<p class="all">${guests.length ? `These guests run, and are shut down first: ${inWords(guests)}.` : 'No guest is running.'}</p>
			<p class="all">${after}</p>`}
	<//>`;
};

const ACTIONS = [
	{ name: 'startall', label: 'Start all…', icon: 'start', dialog: StartAll, isUp: false },
	{ name: 'stopall', label: 'Stop all…', icon: 'stop', dialog: StopAll, isUp: true },
	{ name: 'reboot', label: 'Reboot…', icon: 'reboot', isUp: true, danger: true,
		dialog: power('reboot', 'Reboot', 'Guests that start with the node start again with it. Until then this page cannot reach it.') },
	{ name: 'shutdown', label: 'Shut down…', icon: 'shutdown', isUp: true, danger: true,
		dialog: power('shutdown', 'Shut down', 'Somebody must switch it on again: this page cannot.') },
];

export function NodeActions({ node, may }) {
	const resources = useStore((s) => s.resources);
	const [asking, setAsking] = useState(null);
	const mayPower = useMaySomewhere('vms')('VM.PowerMgmt'); // of those guests where one may
	const all = ACTIONS.filter((a) => !a.danger && mayPower), rest = ACTIONS.filter((a) => a.danger);
	return html`<div class="actions">
		${all.map((a) => html`<button type="button" key=${a.name} data-action=${a.name} onClick=${() => setAsking(a)}><${Icon} name=${a.icon} />${a.label}</button>`)}
		${may('Sys.PowerMgmt') && html`<${Menu} label="Power" items=${rest} onChoose=${setAsking} />`}
		${asking && html`<${asking.dialog} node=${node} guests=${guestsOf(resources, node, asking.isUp)} onClose=${() => setAsking(null)} />`}
	</div>`;
}
