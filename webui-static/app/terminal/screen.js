// SPDX-License-Identifier: GPL-2.0-or-later
// The screen of a virtual machine: noVNC on one side, the node's WebSocket on the other.
import * as api from '../api.js';

/** @param {HTMLElement} element
 * @param {{guest: string}} target API path of the guest
 * @param {(state: 'connecting'|'open'|'closed'|'failed', text?: string) => void} onState
 * @returns {{close: () => void, focus: () => void, ctrlAltDel: () => void}} */
export function openScreen(element, { guest }, onState) {
	let rfb = null, isClosed = false, isOpen = false;

	function end(state, text) {
		if (!isClosed)
			onState(state, text);
		isClosed = true;
	}

	function attach(RFB, { port, ticket }) {
		rfb = new RFB(element, api.socketUrl(guest, port, ticket), { wsProtocols: ['binary'], shared: true });
		rfb.scaleViewport = true;
		rfb.background = 'transparent';
		rfb.addEventListener('connect', () => {
			isOpen = true;
			onState('open');
		});
		rfb.addEventListener('securityfailure', (event) => end('failed', event.detail.reason || 'The console was refused.'));
		rfb.addEventListener('disconnect', () =>
			end(isOpen ? 'closed' : 'failed', isOpen ? 'The console was closed.' : 'The console could not be opened.'));
	}

	async function start() {
		const [{ default: RFB }, proxy] = await Promise.all([
			import('../../vendor/novnc/core/rfb.js'),
			api.post(`${guest}/vncproxy`, { websocket: 1 }),
		]);
		if (!isClosed)
			attach(RFB, proxy);
	}

	onState('connecting');
	start().catch((error) => end('failed', error.message));
	return {
		focus: () => rfb?.focus(),
		ctrlAltDel: () => rfb?.sendCtrlAltDel(),
		close: () => {
			isClosed = true;
			rfb?.disconnect();
		},
	};
}
