// SPDX-License-Identifier: GPL-2.0-or-later
// A terminal of a guest: xterm.js on one side, the node's WebSocket on the other.
import * as api from '../api.js';
import { binaryInput, greeting, input, opener, ping, resize } from './framing.js';
import { documentForTerminal } from './styles.js';

const PING = 30000; /* ms */

const THEME = {
	background: '#11161a', foreground: '#d9e0dd', cursor: '#5cc4a3', selectionBackground: '#2f4a44',
	black: '#1b2226', red: '#e0625c', green: '#6cbf73', yellow: '#d8b25c', blue: '#6a9fd8', magenta: '#b58bd0',
	cyan: '#57b8b8', white: '#c9d1ce', brightBlack: '#6b7773', brightRed: '#f08a84', brightGreen: '#8fd896',
	brightYellow: '#ecce86', brightBlue: '#93bdec', brightMagenta: '#cfaee4', brightCyan: '#83d3d3', brightWhite: '#f3f6f5',
};

async function load() {
	const [{ Terminal }, { FitAddon }] = await Promise.all([
		import('../../vendor/xterm/xterm.mjs'),
		import('../../vendor/xterm/addon-fit.mjs'),
	]);
	return { Terminal, FitAddon };
}

function makeTerminal({ Terminal, FitAddon }, element) {
	const terminal = new Terminal({
		documentOverride: documentForTerminal(), theme: THEME, fontSize: 14, scrollback: 5000, cursorBlink: true,
		fontFamily: 'ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace',
	});
	const fit = new FitAddon();
	terminal.loadAddon(fit);
	terminal.open(element);
	fit.fit();
	return { terminal, fit };
}

/** @param {HTMLElement} element
 * @param {{guest: string, params: object}} target API path of the guest, parameters of termproxy
 * @param {(state: 'connecting'|'open'|'closed'|'failed', text?: string) => void} onState
 * @returns {{close: () => void, focus: () => void}} */
export function openTerminal(element, { guest, params }, onState) {
	let socket = null, view = null, isClosed = false, timer = null;
	const send = (data) => socket?.readyState === WebSocket.OPEN && socket.send(data);
	const watcher = new ResizeObserver(() => element.clientWidth && view?.fit.fit());

	function end(state, text) {
		clearInterval(timer);
		if (!isClosed)
			onState(state, text);
		isClosed = true;
		socket?.close();
	}

	function attach({ port, ticket, user }) {
		const open = opener();
		let isOpen = false;
		socket = new WebSocket(api.socketUrl(guest, port, ticket), 'binary');
		socket.binaryType = 'arraybuffer';
		socket.onopen = () => send(greeting(user, ticket));
		socket.onmessage = (event) => {
			try {
				view.terminal.write(open(new Uint8Array(event.data)));
			} catch (error) {
				end('failed', error.message);
				return;
			}
			if (isOpen)
				return;
			isOpen = true;
			send(resize(view.terminal.cols, view.terminal.rows));
			timer = setInterval(() => send(ping()), PING);
			onState('open');
		};
		socket.onclose = () => end(isOpen ? 'closed' : 'failed', isOpen ? 'The console was closed.' : 'The console could not be opened.');
	}

	async function start() {
		const modules = await load();
		if (isClosed)
			return;
		view = makeTerminal(modules, element);
		view.terminal.onData((text) => send(input(text)));
		view.terminal.onBinary((text) => send(binaryInput(text)));
		view.terminal.onResize(({ cols, rows }) => send(resize(cols, rows)));
		watcher.observe(element);
		const proxy = await api.post(`${guest}/termproxy`, params);
		if (!isClosed)
			attach(proxy);
	}

	onState('connecting');
	start().catch((error) => end('failed', error.message));
	return {
		focus: () => view?.terminal.focus(),
		close: () => {
			isClosed = true;
			clearInterval(timer);
			watcher.disconnect();
			socket?.close();
			view?.terminal.dispose();
		},
	};
}
