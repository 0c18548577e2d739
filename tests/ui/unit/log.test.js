// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';

globalThis.document = { addEventListener() {} };
let total = 0, asked = 0;
globalThis.fetch = async (where) => {
	const query = new URL(where, 'https://node').searchParams;
	const [start, limit] = ['start', 'limit'].map((name) => Number(query.get(name)));
	const data = Array.from({ length: Math.max(0, Math.min(limit, total - start)) }, (_, i) => ({ n: start + i + 1, t: 'x' }));
	asked++;
	return { ok: true, json: async () => ({ data, total }) };
};
const { readLog } = await import('../../../webui-static/app/components/log.js');
const stays = () => false;

async function numbers(from, isGone = stays) {
	asked = 0;
	const lines = await readLog('/log', from, isGone);
	return [lines.length, lines[0]?.n, lines.at(-1)?.n];
}

test('all lines from one on, in pages', async () => {
	total = 2500;
	assert.deepEqual(await numbers(0), [2500, 1, 2500]);
	assert.deepEqual(await numbers(2499), [1, 2500, 2500]);
	total = 2000;
	assert.deepEqual(await numbers(0), [2000, 1, 2000]);
	total = 0;
	assert.deepEqual(await numbers(0), [0, undefined, undefined]);
});

test('of a very long log the end, in few requests', async () => {
	total = 1000000;
	const [count, first, last] = await numbers(0);
	assert.deepEqual([count >= 5000 && count <= 6000, last - first + 1, last], [true, count, total]);
	assert.ok(asked <= 8, `${asked} requests`);
});

test('nothing more is asked for once nobody looks', async () => {
	total = 5000;
	await numbers(0, () => true);
	assert.equal(asked, 1);
});
