// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';
import { initial, reduce } from '../../../webui-static/app/store.js';

const guest = (vmid, more = {}) => ({ id: `lxc/${vmid}`, type: 'lxc', vmid, status: 'stopped', cpu: 0, mem: 0, ...more });
const task = (n, more = {}) => ({ upid: `UPID:${n}`, starttime: n, type: 'vzstart', ...more });
const all = (state, ...actions) => actions.reduce(reduce, state);

test('a list replaces what was there', () => {
	const s = all(initial, { type: 'resources', items: [guest(100), guest(101)], at: 1 }, { type: 'resources', items: [guest(101)], at: 2 });
	assert.deepEqual(Object.keys(s.resources), ['lxc/101']);
	assert.equal(s.isLoaded, true);
});

test('what did not change stays the same object', () => {
	const a = reduce(initial, { type: 'resources', items: [guest(100), guest(101)], at: 1 });
	const b = reduce(a, { type: 'resources', items: [guest(100), guest(101, { status: 'running' })], at: 2 });
	const c = reduce(b, { type: 'resources', items: [guest(100), guest(101, { status: 'running' })], at: 3 });
	assert.equal(b.resources['lxc/100'], a.resources['lxc/100']);
	assert.notEqual(b.resources['lxc/101'], a.resources['lxc/101']);
	assert.equal(c.resources, b.resources);
	assert.deepEqual(initial.resources, {});
});

test('an event changes one guest, another takes it away', () => {
	const a = reduce(initial, { type: 'resources', items: [guest(100), guest(101)], at: 1 });
	const b = reduce(a, { type: 'guest', entry: guest(100, { status: 'running' }), at: 2 });
	const c = reduce(b, { type: 'guest-gone', id: 'lxc/100' });
	assert.equal(b.resources['lxc/100'].status, 'running');
	assert.equal(b.resources['lxc/101'], a.resources['lxc/101']);
	assert.deepEqual(Object.keys(c.resources), ['lxc/101']);
	assert.equal(reduce(c, { type: 'guest-gone', id: 'lxc/100' }), c);
	const again = reduce(b, { type: 'guest', entry: guest(100, { status: 'running' }), at: 2.5, isChange: true });
	assert.equal(again.resources, b.resources);
	assert.equal(again.told['lxc/100'], b.told['lxc/100'] + 1);
	const figures = reduce(again, { type: 'guest', entry: guest(100, { status: 'running', cpu: 0.5 }), at: 9 });
	assert.equal(figures.resources['lxc/100'].cpu, 0.5);
	assert.equal(figures.told, again.told);
});

test('samples: no two at once, a bound on their number', () => {
	let s = initial;
	for (let at = 0; at < 100; at++)
		s = reduce(s, { type: 'guest', entry: guest(100, { cpu: at / 100 }), at: at * 5 });
	s = reduce(s, { type: 'guest', entry: guest(100, { status: 'stopped', cpu: 0 }), at: 99 * 5 + 1 });
	assert.equal(s.history['lxc/100'].length, 60);
	assert.equal(s.history['lxc/100'].at(-1).cpu, 0.99);
});

test('tasks: newest first, and an end is not taken back by an older list', () => {
	const a = reduce(initial, { type: 'tasks', items: [task(1), task(3)] });
	const b = reduce(a, { type: 'tasks', items: [task(2), task(1, { endtime: 9, status: 'OK' })] });
	const c = reduce(b, { type: 'tasks', items: [task(1), task(2), task(3)] });
	assert.deepEqual(b.tasks.map((t) => t.starttime), [3, 2, 1]);
	assert.equal(c.tasks[2].status, 'OK');
	assert.equal(c, b);
});

test('tasks are bounded', () => {
	const s = reduce(initial, { type: 'tasks', items: Array.from({ length: 500 }, (_, n) => task(n)) });
	assert.equal(s.tasks.length, 200);
	assert.equal(s.tasks[0].starttime, 499);
});

test('leaving forgets all but messages', () => {
	const a = all(initial, { type: 'session', session: { user: 'a@pve' } }, { type: 'resources', items: [guest(100)], at: 1 },
		{ type: 'toast', toast: { id: 1, text: 'x' } });
	const b = reduce(a, { type: 'session', session: null });
	assert.deepEqual(b, { ...initial, session: null, toasts: [{ id: 1, text: 'x' }] });
});

test('messages: few, and they go', () => {
	let s = initial;
	for (let id = 1; id <= 10; id++)
		s = reduce(s, { type: 'toast', toast: { id } });
	assert.deepEqual(s.toasts.map((t) => t.id), [7, 8, 9, 10]);
	assert.deepEqual(reduce(s, { type: 'untoast', id: 8 }).toasts.map((t) => t.id), [7, 9, 10]);
});

test('an action that is not known changes nothing', () => assert.equal(reduce(initial, { type: 'fly' }), initial));
