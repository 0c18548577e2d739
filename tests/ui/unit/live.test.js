// SPDX-License-Identifier: GPL-2.0-or-later
// When the lists are read again: with a stream, without one, and after a reading that failed.
import assert from 'node:assert/strict';
import test from 'node:test';
import './no_page.js';

const node = { isThere: true, isOpen: true, again: null };

globalThis.EventSource = class {
	static OPEN = 1;
	static CLOSED = 2;
	get readyState() {
		return node.isOpen ? 1 : 0;
	}
	addEventListener() {}
	close() {}
};
globalThis.fetch = async () => {
	if (!node.isThere)
		throw new TypeError('Failed to fetch');
	return { ok: true, json: async () => ({ data: [] }) };
};
globalThis.setTimeout = (call, ms) => {
	node.again?.({ call, ms });
	return 0;
};
globalThis.clearTimeout = () => {};
const { startLive } = await import('../../../webui-static/app/live.js');
const { getState } = await import('../../../webui-static/app/store.js');

/** The next timer: when the lists are read again. */
const next = (begin) => new Promise((resolve) => {
	node.again = resolve;
	begin();
});

test('the lists are read soon after a reading that failed, though the stream be open', async () => {
	let stop = () => {};
	const seen = [];
	const look = async (begin) => {
		const timer = await next(begin);
		seen.push([timer.ms, getState().link]);
		return timer.call;
	};
	let again = await look(() => { stop = startLive(); });
	node.isThere = false;
	again = await look(again);
	node.isThere = true;
	again = await look(again);
	node.isOpen = false;
	await look(again);
	stop();
	assert.deepEqual(seen, [[60000, 'live'], [3000, 'offline'], [60000, 'live'], [3000, 'polling']]);
});
