// SPDX-License-Identifier: GPL-2.0-or-later
// The lines of a task's log, read on while it runs. Its text comes from guests and files: it is never markup.
import * as api from '../api.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from '../html.js';

const POLL = 1000; /* ms */
const PAGE = 1000; /* lines a request */
const KEPT = 5000; /* lines; older ones are left out */
const NEAR_END = 40; /* px: one who reads further up is not moved */

/** The lines from `from` on (0: the first); where those are too many, the last ones. isGone: nobody waits any more. */
export async function readLog(where, from, isGone) {
	let lines = [], at = from;
	for (;;) {
		const { data, total } = await api.getDocument(where, { start: at, limit: PAGE });
		if (total - at > KEPT + PAGE) {
			lines = [];
			at = total - KEPT;
		} else {
			lines.push(...data);
			at += data.length;
			if (data.length < PAGE || isGone())
				return lines;
		}
	}
}

/** isRunning: undefined while that is not known. @param {{node: string, upid: string, isRunning: boolean|undefined}} props */
export function Log({ node, upid, isRunning }) {
	const [lines, setLines] = useState([]);
	const [error, setError] = useState('');
	const read = useRef(0), box = useRef(null), atEnd = useRef(true);
	const where = api.path('nodes', node, 'tasks', upid, 'log');

	useEffect(() => {
		let timer = null, isGone = false;
		const next = async () => {
			try {
				const more = await readLog(where, read.current, () => isGone);
				if (isGone)
					return;
				if (more.length) { // the last one may have been read half: it is read once more
					read.current = more[more.length - 1].n - 1;
					setLines((old) => [...old.filter((l) => l.n < more[0].n), ...more].slice(-KEPT));
				}
				setError('');
			} catch (failure) {
				if (!isGone)
					setError(failure.message);
			}
			if (isRunning && !isGone)
				timer = setTimeout(next, POLL);
		};
		next();
		return () => {
			isGone = true;
			clearTimeout(timer);
		};
	}, [upid, isRunning]);
	useLayoutEffect(() => {
		if (atEnd.current)
			box.current.scrollTop = box.current.scrollHeight;
	}, [lines]);
	const scrolled = ({ target }) => { atEnd.current = target.scrollHeight - target.scrollTop - target.clientHeight < NEAR_END; };
	return html`<pre class="log" ref=${box} tabindex="0" role="log" aria-label="Log" onScroll=${scrolled}>${lines.map((l) =>
		html`<span key=${l.n} class=${/^TASK ERROR/.test(l.t) ? 'bad' : ''}>${l.t}${'\n'}</span>`)}${
		error && html`<span class="bad">${error}</span>`}${!error && !lines.length && html`<span class="faint">No lines yet.</span>`}</pre>`;
}
