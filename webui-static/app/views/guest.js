// SPDX-License-Identifier: GPL-2.0-or-later
// A guest: its head with what can be done, and its parts.
import { html, useEffect, useState } from '../html.js';
import { ACTIONS, act } from '../actions.js';
import { kindName, kindShort, nameOf, stateOf, tags, taskName } from '../format.js';
import { go, guestHref, href } from '../router.js';
import { useStore } from '../store.js';
import { Confirm } from '../components/confirm.js';
import { Icon } from '../components/icon.js';
import { Menu } from '../components/menu.js';
import { useMay } from '../components/rights.js';
import { State } from '../components/state.js';
import { Tags } from '../components/tags.js';
import { GuestConfig } from './guest_config.js';
import { GuestConsole } from './guest_console.js';
import { DIALOGS } from './guest_dialogs.js';
import { GuestSnapshots } from './guest_snapshots.js';
import { GuestSummary } from './guest_summary.js';
import { GuestTasks } from './guest_tasks.js';

const TABS = [
	['summary', 'Summary', GuestSummary],
	['console', 'Console', GuestConsole, 'VM.Console'],
	['config', 'Configuration', GuestConfig],
	['snapshots', 'Snapshots', GuestSnapshots],
	['tasks', 'Tasks', GuestTasks],
];

const isOf = (vmid) => (task) => !task.endtime && task.id === String(vmid) && task.type !== 'vncproxy';

/** While a guest is busy nothing is offered but to cut a shutdown short. */
const isOff = (action, asked, running) => action.name === 'stop'
	? (asked && asked !== 'shutdown') || running.some((t) => !/shutdown$/.test(t.type))
	: Boolean(asked) || running.length > 0;

function Actions({ entry, running, may }) {
	const [asking, setAsking] = useState(null);
	const [asked, setAsked] = useState(''); // from the click on, before the task is known
	const run = async (action) => {
		setAsking(null);
		setAsked(action.name);
		const isDone = await act(action, entry);
		setAsked('');
		if (isDone && action.name === 'destroy')
			go('#/');
	};
	const choose = (action) => (action.confirm || action.dialog ? setAsking(action) : run(action));
	const close = () => setAsking(null);
	const offered = ACTIONS.filter((a) => a.is(entry) && may(a.needs));
	const more = offered.filter((a) => a.more);
	const Own = asking?.dialog && DIALOGS[asking.name];
	return html`<div class="actions">
		${offered.filter((a) => !a.more).map((a) => html`<button type="button" key=${a.name} data-action=${a.name} disabled=${isOff(a, asked, running)}
			class=${a.main ? 'main' : a.danger ? 'danger' : ''} onClick=${() => choose(a)}><${Icon} name=${a.name} />${a.label}</button>`)}
		${more.length > 0 && html`<${Menu} label="More" items=${more.map((a) => ({ ...a, disabled: isOff(a, asked, running) }))} onChoose=${choose} />`}
		${Own ? html`<${Own} entry=${entry} onClose=${close} />`
			: asking && html`<${Confirm} action=${asking} entry=${entry} onClose=${close} onYes=${() => run(asking)} />`}
	</div>`;
}

function Running({ tasks }) {
	return tasks.map((t) => html`<p class="running-task" role="status" key=${t.upid}><i class="spinner" aria-hidden="true"></i>
		<span>${taskName(t)}…</span> <a href=${href('task', t.upid)}>Log</a></p>`);
}

/** Not there: gone, not made yet, or nothing is known of anything yet. */
function Absent({ type, vmid, isLoaded, running }) {
	return html`<div class="view"><div class="empty"><h1>${kindShort(type)} ${vmid}</h1>
		${running.length ? html`<${Running} tasks=${running} />`
			: html`<p>${isLoaded ? 'There is no such guest, or you may not see it.' : 'Loading…'}</p><p><a href="#/">To the overview</a></p>`}
	</div></div>`;
}

export function Guest({ type, vmid, tab = 'summary' }) {
	const entry = useStore((s) => s.resources[`${type}/${vmid}`]);
	const isLoaded = useStore((s) => s.isLoaded);
	const tasks = useStore((s) => s.tasks);
	const running = tasks.filter(isOf(vmid));
	const name = entry ? nameOf(entry) : `${kindShort(type)} ${vmid}`;
	const [, , Part] = TABS.find(([key]) => key === tab) || TABS[0];
	const may = useMay(`/vms/${vmid}`);

	useEffect(() => { document.title = `${name} (${vmid}) · Lodge`; }, [name, vmid]);
	if (!entry)
		return html`<${Absent} type=${type} vmid=${vmid} isLoaded=${isLoaded} running=${running} />`;
	return html`<div class=${`view view-${tab}`}>
		<header class="head">
			<p class="crumb">${kindName(type)} ${vmid} on <a href=${href('node', entry.node)}>${entry.node}</a></p>
			<h1><span>${name}</span> <${State} ...${stateOf(entry)} />${entry.lock && html`<span class="lock">${entry.lock}</span>`}${Boolean(entry.template) && html`<span class="lock">template</span>`}<${Tags} list=${tags(entry.tags)} /></h1>
			<${Actions} key=${entry.id} entry=${entry} running=${running} may=${may} />
		</header>
		<nav class="tabs" aria-label="Parts of this guest">${TABS.filter(([key, , , right]) => !right || key === tab || may(right)).map(([key, label]) =>
			html`<a key=${key} href=${guestHref(entry, key)} aria-current=${key === tab ? 'page' : undefined}>${label}</a>`)}</nav>
		<${Running} tasks=${running} />
		<${Part} entry=${entry} may=${may} />
	</div>`;
}
