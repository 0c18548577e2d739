// SPDX-License-Identifier: GPL-2.0-or-later
// The bar at the top: where one is, creating, the link to the node, theme, leaving.
import * as api from '../api.js';
import { html, useState } from '../html.js';
import { dispatch, useStore } from '../store.js';
import { Icon } from './icon.js';
import { useMaySomewhere } from './rights.js';
import { State } from './state.js';

const LINKS = {
	connecting: ['busy', 'Connecting'],
	live: ['running', 'Live'],
	polling: ['paused', 'Polling'],
	offline: ['failed', 'Offline'],
};

function Theme() {
	const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
	const [theme, setTheme] = useState(document.documentElement.dataset.theme || system);
	const other = theme === 'dark' ? 'light' : 'dark';
	const change = () => {
		document.documentElement.dataset.theme = other;
		setTheme(other);
		try {
			localStorage.setItem('lodge-theme', other);
		} catch {
			// storage may be forbidden: the choice ends with the page
		}
	};
	return html`<button type="button" class="quiet square" aria-label=${`Use the ${other} theme`} title=${`Use the ${other} theme`}
		onClick=${change}><${Icon} name=${other} /></button>`;
}

function CreateButton({ kind, label, short }) {
	return html`<button type="button" class="tool" aria-label=${`Create ${label}`} onClick=${() => dispatch({ type: 'create', kind })}>
		<${Icon} name="plus" /><span class="wide-only">Create ${label}</span><span class="narrow-only">${short}</span></button>`;
}

export function Bar() {
	const user = useStore((s) => s.session?.user);
	const link = useStore((s) => s.link);
	const running = useStore((s) => s.tasks.filter((t) => !t.endtime && t.type !== 'vncproxy').length);
	const may = useMaySomewhere('vms');
	const [tone, text] = LINKS[link];
	return html`<header class="bar">
		<a class="brand" href="#/"><img src="favicon.svg" alt="" width="24" height="24" /><b>Lodge</b></a>
		<span class="bar-link" role="status" aria-label="Link to the node"><${State} tone=${tone} text=${text} /></span>
		${running > 0 && html`<a class="bar-tasks" href="#/tasks" aria-label=${`${running} tasks running`}><i class="spinner" aria-hidden="true"></i><span>${running}<span class="wide-only"> running</span></span></a>`}
		<span class="grow"></span>
		${may('VM.Allocate') && html`<${CreateButton} kind="lxc" label="container" short="CT" />
			<${CreateButton} kind="qemu" label="VM" short="VM" />`}
		<${Theme} />
		<span class="bar-user wide-only">${user}</span>
		<button type="button" class="quiet square" aria-label="Log out" title=${`Log out ${user}`} onClick=${api.logout}><${Icon} name="logout" /></button>
	</header>`;
}
