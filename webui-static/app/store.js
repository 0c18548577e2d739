// SPDX-License-Identifier: GPL-2.0-or-later
// All that the page knows, in one value that is replaced and never changed in place. `reduce` is pure.
import { useLayoutEffect, useState } from './html.js';

const TASKS_KEPT = 200;
const HISTORY_KEPT = 60;
const HISTORY_GAP = 3; /* s: what comes sooner is a change of state, not a sample */

export const initial = {
	session: undefined, // undefined: not known yet; null: nobody is logged in; { user, cap }
	isLoaded: false,
	link: 'connecting', // connecting, live, polling, offline
	resources: {}, // id → entry as in /cluster/resources
	tasks: [], // newest first, as in /cluster/tasks
	history: {}, // guest or node id → [{ at, cpu, mem }]
	told: {}, // guest id → how often a change of it was told: what is not in its entry may have changed too
	watched: {}, // UPID → text: tasks that this page started and that have not ended
	toasts: [],
	creating: null, // "lxc", "qemu": the dialog is open
};

function isSame(a, b) {
	const keys = Object.keys(a);
	return keys.length === Object.keys(b).length && keys.every((k) => Object.is(a[k], b[k]));
}

/** The old entry where nothing changed, so that views that show it are not drawn anew. */
function keepSame(old, entry) {
	return old && isSame(old, entry) ? old : entry;
}

function addSample(history, entry, at) {
	if (!Number.isFinite(entry.cpu))
		return history;
	const old = history[entry.id] || [];
	if (old.length && at - old[old.length - 1].at < HISTORY_GAP)
		return history;
	return { ...history, [entry.id]: [...old, { at, cpu: entry.cpu, mem: entry.mem || 0 }].slice(-HISTORY_KEPT) };
}

function putEntry(state, entry, at, isChange) {
	const kept = keepSame(state.resources[entry.id], entry);
	const history = addSample(state.history, entry, at);
	const resources = kept === state.resources[entry.id] ? state.resources : { ...state.resources, [entry.id]: kept };
	const told = isChange ? { ...state.told, [entry.id]: (state.told[entry.id] || 0) + 1 } : state.told;
	return { ...state, resources, history, told };
}

function putList(state, items, at) {
	const resources = {}, told = {};
	let history = state.history;
	for (const entry of items) {
		resources[entry.id] = keepSame(state.resources[entry.id], entry);
		told[entry.id] = (state.told[entry.id] || 0) + 1;
		history = addSample(history, entry, at);
	}
	return { ...state, isLoaded: true, resources: isSame(state.resources, resources) ? state.resources : resources, history, told };
}

/** An entry without an end never replaces one with: a list may be older than an event. */
function mergeTasks(old, items) {
	const byId = new Map(old.map((t) => [t.upid, t]));
	for (const task of items) {
		const known = byId.get(task.upid);
		if (!known || !known.endtime || task.endtime)
			byId.set(task.upid, keepSame(known, task));
	}
	const all = [...byId.values()].sort((a, b) => b.starttime - a.starttime || (a.upid < b.upid ? 1 : -1));
	const next = all.slice(0, TASKS_KEPT);
	return next.length === old.length && next.every((t, i) => t === old[i]) ? old : next;
}

function without(map, key) {
	const { [key]: _, ...rest } = map;
	return rest;
}

/* ---- what can happen ---- */

const reducers = {
	session: (state, { session }) =>
		session ? { ...state, session } : { ...initial, session: null, toasts: state.toasts },
	link: (state, { link }) => (link === state.link ? state : { ...state, link }),
	resources: (state, { items, at }) => putList(state, items, at),
	guest: (state, { entry, at, isChange }) => putEntry(state, entry, at, isChange),
	node: (state, { entry, at }) => putEntry(state, entry, at, false),
	'guest-gone': (state, { id }) =>
		id in state.resources
			? { ...state, resources: without(state.resources, id), history: without(state.history, id) }
			: state,
	tasks: (state, { items }) => {
		const tasks = mergeTasks(state.tasks, items);
		return tasks === state.tasks ? state : { ...state, tasks };
	},
	watch: (state, { upid, text }) => ({ ...state, watched: { ...state.watched, [upid]: text } }),
	unwatch: (state, { upid }) => ({ ...state, watched: without(state.watched, upid) }),
	toast: (state, { toast }) => ({ ...state, toasts: [...state.toasts.slice(-3), toast] }),
	untoast: (state, { id }) => ({ ...state, toasts: state.toasts.filter((t) => t.id !== id) }),
	create: (state, { kind }) => ({ ...state, creating: kind }),
};

/** @param {typeof initial} state @param {{type: string, [key: string]: any}} action */
export function reduce(state, action) {
	const reducer = reducers[action.type];
	return reducer ? reducer(state, action) : state;
}

/* ---- the one store ---- */

let state = initial;
const listeners = new Set();

export const getState = () => state;

/** Applies actions in their order; listeners are called once. */
export function dispatch(...actions) {
	const next = actions.reduce(reduce, state);
	if (next === state)
		return;
	state = next;
	for (const listener of [...listeners])
		listener(state);
}

export function subscribe(listener) {
	listeners.add(listener);
	return () => listeners.delete(listener);
}

/** Part of the state in a component, drawn anew when that part becomes another value. */
export function useStore(select) {
	const [, redraw] = useState(0);
	const value = select(state);
	useLayoutEffect(() => {
		const check = () => !Object.is(select(state), value) && redraw((n) => n + 1);
		check();
		return subscribe(check);
	});
	return value;
}

let toasts = 0;

/** @param {'error'|'note'} tone @param {string} text @param {string} [href] where more is to be seen */
export function toast(tone, text, href) {
	dispatch({ type: 'toast', toast: { id: ++toasts, tone, text, href } });
}

/** For calls whose failure has no place of its own: the server's text as a toast. */
export function toastError(error, what) {
	const fields = Object.entries(error.fields || {}).map(([name, text]) => `${name}: ${text}`);
	const text = fields.length ? fields.join('; ') : error.message;
	if (error.status !== 401)
		toast('error', what ? `${what}: ${text}` : text);
}
