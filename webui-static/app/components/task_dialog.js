// SPDX-License-Identifier: GPL-2.0-or-later
// A task that was started in a dialog, followed to its end there: its log, and how it went. One that ends well closes it.
import { html, useEffect } from '../html.js';
import { parseUpid, taskState } from '../format.js';
import { watchTask } from '../live.js';
import { href } from '../router.js';
import { useStore } from '../store.js';
import { Dialog } from './dialog.js';
import { Log } from './log.js';
import { State } from './state.js';

/** @param {string} upid @returns {{state: {tone: string, text: string}, isRunning: boolean, isGood: boolean}} */
export function useTaskState(upid) {
	const task = useStore((s) => s.tasks.find((t) => t.upid === upid));
	const state = taskState(task || {});
	return { state, isRunning: !task?.endtime, isGood: Boolean(task?.endtime) && state.tone !== 'failed' };
}

/** The state of a task and its log. */
export function TaskLog({ upid }) {
	const { state, isRunning } = useTaskState(upid);
	const { node } = parseUpid(upid);
	return html`<p class="task-state"><${State} ...${state} /></p><${Log} node=${node} upid=${upid} isRunning=${isRunning} />`;
}

/** @param {{upid: string, title: string, onClose: (isGood: boolean) => void}} props onClose: isGood is false for one that still runs, too */
export function TaskDialog({ upid, title, onClose }) {
	const { state, isRunning, isGood } = useTaskState(upid);

	useEffect(() => { watchTask(upid, title); }, [upid]);
	useEffect(() => {
		if (isGood && state.text === 'OK')
			onClose(true);
	}, [isGood]);
	return html`<${Dialog} title=${title} wide onClose=${() => onClose(isGood)}>
		<div class="task-dialog"><${TaskLog} upid=${upid} /></div>
		<footer class="plain">${isRunning && html`<span class="faint grow">It goes on when this is closed.</span>`}
			<a class="button" href=${href('task', upid)} onClick=${() => onClose(isGood)}>Task</a>
			<button type="button" class="main" onClick=${() => onClose(isGood)}>Close</button></footer>
	<//>`;
}
