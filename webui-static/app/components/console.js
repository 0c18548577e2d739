// SPDX-License-Identifier: GPL-2.0-or-later
// A guest's console: terminal or screen, with its tools. Connected while the guest runs.
import { ACTIONS, act, guestPath } from '../actions.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { openScreen } from '../terminal/screen.js';
import { openTerminal } from '../terminal/session.js';
import { Icon } from './icon.js';
import { useMay } from './rights.js';
import { State } from './state.js';

const STATES = {
	connecting: ['busy', 'Connecting'],
	open: ['running', 'Connected'],
	closed: ['stopped', 'Closed'],
	failed: ['failed', 'Not connected'],
};

/** What a guest can be seen on: [[display, label]…], the usual one first.
 * @param {object} entry @param {(key: string) => string|undefined} value of its configuration */
export function displaysOf(entry, value) {
	if (entry.type === 'lxc')
		return [['terminal', 'Terminal']];
	const vga = String(value('vga') || 'std').replace(/^type=/, '').split(',')[0];
	const serials = [0, 1, 2, 3].filter((n) => value(`serial${n}`)).map((n) => [`serial${n}`, `Serial ${n}`]);
	return /^(serial\d|none)$/.test(vga) ? serials : [['screen', 'Screen'], ...serials];
}

function open(element, entry, display, onState) {
	const guest = guestPath(entry);
	if (display === 'screen')
		return openScreen(element, { guest }, onState);
	return openTerminal(element, { guest, params: display.startsWith('serial') ? { serial: display } : {} }, onState);
}

/** Ctrl+F6 goes from the console, which takes all other keys, to the tools above it. */
function leave(tools) {
	return (event) => {
		if (event.key !== 'F6' || !event.ctrlKey)
			return;
		event.preventDefault();
		event.stopPropagation();
		tools.current.querySelector('button, a').focus();
	};
}

function Off({ entry }) {
	const start = ACTIONS.find((a) => a.name === 'start');
	const may = useMay(`/vms/${entry.vmid}`);
	return html`<div class="console-cover"><p>The guest is ${entry.status}. Its console opens when it runs.</p>
		${start.is(entry) && may(start.needs) && html`<button type="button" class="main" onClick=${() => act(start, entry)}>Start</button>`}</div>`;
}

/** @param {{entry: object, display: string, tools?: any}} props */
export function Console({ entry, display, tools }) {
	const isUp = entry.status !== 'stopped'; // what is not known for a while does not end one that is open
	const [state, setState] = useState({ name: 'connecting', text: '' });
	const [attempt, setAttempt] = useState(0);
	const screen = useRef(null), bar = useRef(null), box = useRef(null), session = useRef(null);
	const [tone, label] = STATES[state.name];
	const isDown = isUp && (state.name === 'closed' || state.name === 'failed');

	useEffect(() => {
		if (!isUp)
			return undefined;
		session.current = open(screen.current, entry, display, (name, text = '') => {
			setState({ name, text });
			if (name === 'open')
				session.current.focus();
		});
		return () => {
			session.current.close();
			screen.current?.replaceChildren();
		};
	}, [entry.id, display, isUp, attempt]);
	useEffect(() => {
		const handler = leave(bar);
		const element = screen.current;
		element.addEventListener('keydown', handler, true);
		return () => element.removeEventListener('keydown', handler, true);
	}, []);
	return html`<div class="console" ref=${box}>
		<div class="console-bar" ref=${bar}>${tools}<span class="grow"></span>
			${state.name === 'open' && isUp && display !== 'screen' && html`<span class="faint wide">Nothing there? Press Enter.</span>`}
			${isUp && html`<span role="status"><${State} tone=${tone} text=${label} /></span>`}
			${isUp && display === 'screen' && html`<button type="button" disabled=${state.name !== 'open'} onClick=${() => { session.current.ctrlAltDel(); session.current.focus(); }}>Ctrl+Alt+Del</button>`}
			<button type="button" class="square" aria-label="Full screen" title="Full screen" onClick=${() => box.current.requestFullscreen?.().then(() => session.current?.focus(), () => {})}><${Icon} name="full" /></button>
		</div>
		<div class=${`console-screen ${display === 'screen' ? 'is-screen' : 'is-terminal'}`} ref=${screen} data-state=${isUp ? state.name : 'off'} title="Ctrl+F6 leaves the console"></div>
		${!isUp && html`<${Off} entry=${entry} />`}
		${isDown && html`<div class="console-cover"><p>${state.text}</p>
			<button type="button" class="main" onClick=${() => setAttempt((n) => n + 1)}>Connect again</button></div>`}
	</div>`;
}
