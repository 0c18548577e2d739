// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps the store true: the node's event stream, and reading the lists every few seconds while there is none.
import * as api from './api.js';
import { dispatch, getState, subscribe, toast } from './store.js';
import { taskState } from './format.js';

const POLL = 3000; /* ms, without a stream, and after a reading that failed */
const REFRESH = 60000; /* ms, with one: storages tell no events */
const REOPEN = 15000; /* ms until a refused stream is asked for again */
const BATCH = 16; /* ms: events that come together are drawn together */

const now = () => Date.now() / 1000;

const decoders = {
	guest: (data, isChange) => ({ type: 'guest', entry: data, at: now(), isChange }),
	node: (data) => ({ type: 'node', entry: data, at: now() }),
	'guest-gone': (data) => ({ type: 'guest-gone', id: data.id }),
	task: (data) => ({ type: 'tasks', items: [data] }),
};

/** @returns {() => void} stops it */
export function startLive() {
	let source = null;
	let queue = [], late = []; // late: came while the lists were on their way, so applied once more after them
	let flushTimer = null, pollTimer = null, reopenTimer = null;
	let isReading = false, readAgain = false, isStopped = false;
	let isReached = true; // by the last reading
	let lastId = ''; // figures come under the id of the last change

	const isOpen = () => source && source.readyState === EventSource.OPEN;

	function flush() {
		const actions = queue;
		flushTimer = null;
		queue = [];
		if (isReading)
			late.push(...actions);
		dispatch(...actions);
	}

	function enqueue(action) {
		queue.push(action);
		flushTimer ??= setTimeout(flush, BATCH);
	}

	async function read() {
		if (isReading) {
			readAgain = true;
			return;
		}
		isReading = true;
		late = [];
		try {
			const [items, tasks] = await Promise.all([api.get('/cluster/resources'), api.get('/cluster/tasks')]);
			isReached = true;
			if (!isStopped)
				dispatch({ type: 'resources', items, at: now() }, { type: 'tasks', items: tasks },
					...late, { type: 'link', link: isOpen() ? 'live' : 'polling' });
		} catch (error) {
			isReached = false;
			if (!isStopped && error.status !== 401)
				dispatch({ type: 'link', link: 'offline' });
		}
		isReading = false;
		if (readAgain && !isStopped) {
			readAgain = false;
			await read();
		}
	}

	async function poll() {
		clearTimeout(pollTimer);
		await read();
		clearTimeout(pollTimer);
		if (!isStopped)
			pollTimer = setTimeout(poll, isOpen() && isReached ? REFRESH : POLL); // a stream may outlive that nothing gets through
	}

	function open() {
		source = new EventSource(api.eventsUrl());
		source.onopen = () => dispatch({ type: 'link', link: 'live' });
		source.addEventListener('sync', poll);
		for (const [type, decode] of Object.entries(decoders))
			source.addEventListener(type, (event) => {
				enqueue(decode(JSON.parse(event.data), event.lastEventId !== lastId));
				lastId = event.lastEventId;
			});
		source.addEventListener('config', poll); // storages and users: what the lists show of them may have changed
		source.onerror = () => {
			if (source.readyState === EventSource.CLOSED) {
				clearTimeout(reopenTimer);
				reopenTimer = setTimeout(open, REOPEN);
			}
			poll();
		};
	}

	const unsubscribe = subscribe(reportEnded);
	poll();
	open();
	return () => {
		isStopped = true;
		unsubscribe();
		source.close();
		clearTimeout(flushTimer);
		clearTimeout(pollTimer);
		clearTimeout(reopenTimer);
	};
}

/* ---- tasks that were started here ---- */

const waiting = new Map();

/** Says when a task of this page ends badly; resolves with whether it ended well.
 * @param {string} upid @param {string} text what it does: "Start CT 101" */
export function watchTask(upid, text) {
	const ended = new Promise((resolve) => waiting.set(upid, resolve));
	dispatch({ type: 'watch', upid, text });
	return ended;
}

function reportEnded(state) {
	for (const [upid, text] of Object.entries(state.watched)) {
		const task = state.tasks.find((t) => t.upid === upid);
		if (!task?.endtime || !(upid in getState().watched))
			continue;
		const { tone } = taskState(task);
		dispatch({ type: 'unwatch', upid });
		if (tone === 'failed')
			toast('error', `${text}: ${task.status}`, `#/task/${encodeURIComponent(upid)}`);
		waiting.get(upid)?.(tone !== 'failed');
		waiting.delete(upid);
	}
}
