// SPDX-License-Identifier: GPL-2.0-or-later
// Tasks of all nodes: the newest by themselves, older ones when asked for; all, or by how they are.
import * as api from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { taskState } from '../format.js';
import { toastError, useStore } from '../store.js';
import { TaskTable } from '../components/task_table.js';

const PAGE = 500;

const KINDS = [
	['all', 'All', () => true],
	['running', 'Running', (t) => !t.endtime],
	['failed', 'Failed', (t) => taskState(t).tone === 'failed'],
	['warned', 'With warnings', (t) => taskState(t).tone === 'paused'],
];

/** Tasks that the nodes remember beyond the newest ones. */
function useOlder() {
	const nodes = Object.values(useStore((s) => s.resources)).filter((e) => e.type === 'node' && e.status === 'online');
	const [older, setOlder] = useState(null);
	const ask = () => Promise.all(nodes.map((n) => api.get(api.path('nodes', n.node, 'tasks'), { source: 'all', limit: PAGE })))
		.then((lists) => setOlder(lists.flat()), (error) => toastError(error, 'Tasks'));
	return { older, ask };
}

export function Tasks() {
	const newest = useStore((s) => s.tasks);
	const { older, ask } = useOlder();
	const [kind, setKind] = useState('all');
	const known = new Set(newest.map((t) => t.upid));
	const tasks = [...newest, ...(older || []).filter((t) => !known.has(t.upid))];
	const [, , is] = KINDS.find(([key]) => key === kind);
	const choice = html`<span class="choice wrap" role="group" aria-label="Which tasks">${KINDS.map(([key, label]) =>
		html`<button type="button" key=${key} aria-pressed=${key === kind ? 'true' : 'false'} onClick=${() => setKind(key)}>${label}</button>`)}</span>`;

	useEffect(() => { document.title = 'Tasks · Lodge'; }, []);
	return html`<div class="view"><h1>Tasks</h1>${choice}
		<section class="panel"><${TaskTable} id="tasks" tasks=${tasks.filter(is)} withFilter empty=${kind === 'all' ? undefined : 'No such tasks.'} />
			${!older && html`<p class="more"><button type="button" onClick=${ask}>Show older ones</button></p>`}</section></div>`;
}
