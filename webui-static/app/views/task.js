// SPDX-License-Identifier: GPL-2.0-or-later
// One task: what it is, and its log, which grows while it runs.
import * as api from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { duration, parseUpid, taskName, taskState, time } from '../format.js';
import { useStore } from '../store.js';
import { Log } from '../components/log.js';
import { State } from '../components/state.js';
import { stopTask } from '../components/task_table.js';

/** The entry: the store's, or asked for when it is older than those. */
function useTask(upid) {
	const listed = useStore((s) => s.tasks.find((t) => t.upid === upid));
	const [asked, setAsked] = useState(null);
	const [error, setError] = useState(null);
	const id = parseUpid(upid);
	useEffect(() => {
		if (!listed && id)
			api.get(api.path('nodes', id.node, 'tasks', upid, 'status')).then(setAsked, setError);
	}, [upid, !listed]);
	const old = asked && { ...asked, status: asked.exitstatus, endtime: asked.status === 'stopped' ? asked.endtime || asked.starttime : undefined };
	return { task: listed || old || id, isKnown: Boolean(listed || old), error: id ? error : new Error('This is not the name of a task.') };
}

function Facts({ task, isKnown }) {
	const isRunning = isKnown && !task.endtime;
	return html`<dl class="facts">
		<div><dt>Result</dt><dd>${isKnown ? html`<${State} ...${taskState(task)} />` : '–'}</dd></div>
		<div><dt>Started</dt><dd>${time(task.starttime)}</dd></div>
		<div><dt>${isRunning ? 'Runs' : 'Took'}</dt><dd>${isRunning ? 'still' : duration(task.endtime - task.starttime)}</dd></div>
		<div><dt>User</dt><dd>${task.user}</dd></div>
		<div><dt>Node</dt><dd>${task.node}</dd></div>
		<div class="all"><dt>UPID</dt><dd class="mono">${task.upid}</dd></div>
	</dl>`;
}

export function Task({ upid }) {
	const { task, isKnown, error } = useTask(upid);
	const isRunning = isKnown && !task.endtime;
	useEffect(() => { document.title = `${task ? taskName(task) : 'Task'} · Lodge`; }, [upid]);
	if (error && !isKnown)
		return html`<div class="empty"><h1>No such task</h1><p>${error.message}</p><p><a href="#/tasks">All tasks</a></p></div>`;
	return html`<div class="view">
		<header class="head"><p class="crumb"><a href="#/tasks">Tasks</a></p><h1>${taskName(task)}</h1>
			${isRunning && html`<div class="actions"><button type="button" class="danger" onClick=${() => stopTask(task)}>Stop task</button></div>`}</header>
		<section class="panel pad"><${Facts} task=${task} isKnown=${isKnown} /></section>
		<section class="panel"><h2>Log</h2><${Log} node=${task.node} upid=${upid} isRunning=${isKnown ? isRunning : undefined} /></section>
	</div>`;
}
