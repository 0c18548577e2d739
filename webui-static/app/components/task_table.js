// SPDX-License-Identifier: GPL-2.0-or-later
// Tasks as a table, newest first.
import * as api from '../api.js';
import { html } from '../html.js';
import { duration, taskName, taskState, time } from '../format.js';
import { href } from '../router.js';
import { toastError } from '../store.js';
import { Icon } from './icon.js';
import { State } from './state.js';
import { Table } from './table.js';

export const stopTask = (task) => api.del(api.path('nodes', task.node, 'tasks', task.upid)).catch((error) => toastError(error, `Stop ${taskName(task)}`));
const taskHref = (t) => href('task', t.upid);
const lasted = (t) => (t.endtime ? t.endtime - t.starttime : undefined);

const COLUMNS = [
	{ key: 'task', label: 'Task', class: 'name', sort: taskName, cell: (t) => html`<a href=${taskHref(t)}><span>${taskName(t)}</span></a>` },
	{ key: 'state', label: 'Result', class: 'result', sort: (t) => taskState(t).text, cell: (t) => html`<${State} ...${taskState(t)} />` },
	{ key: 'start', label: 'Started', class: 'mid number', sort: (t) => t.starttime, cell: (t) => time(t.starttime) },
	{ key: 'time', label: 'Took', class: 'wide number', sort: (t) => lasted(t) ?? -1, cell: (t) => duration(lasted(t)) },
	{ key: 'user', label: 'User', class: 'wide', sort: (t) => t.user, cell: (t) => t.user },
	{ key: 'node', label: 'Node', class: 'wide', sort: (t) => t.node, cell: (t) => t.node },
	{ key: 'do', label: html`<span class="unseen">Actions</span>`, class: 'edit', cell: (t) => !t.endtime && html`<button type="button" class="quiet square" title="Stop"
		aria-label=${`Stop ${taskName(t)}`} onClick=${() => stopTask(t)}><${Icon} name="stop" /></button>` },
];

/** @param {{tasks: object[], id: string, withFilter?: boolean, empty?: string, title?: string}} props */
export function TaskTable({ tasks, id, withFilter, empty, title }) {
	return html`<${Table} id=${id} label="Tasks" title=${title} columns=${COLUMNS} rows=${tasks} rowKey=${(t) => t.upid} href=${taskHref}
		sortBy="start" sortDown text=${withFilter ? (t) => [taskName(t), t.type, taskState(t).text, t.user, t.node].join(' ') : undefined}
		empty=${html`<p>${empty || 'Nothing has been done yet.'}</p>`} />`;
}
