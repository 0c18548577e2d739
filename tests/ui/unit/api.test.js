// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';

const HOUR = 3600000; /* ms */
const page = { now: 1700000000000, tick: () => {}, asked: [], cookies: {} };

Date.now = () => page.now;
globalThis.setInterval = (call) => { page.tick = call; };
globalThis.clearInterval = () => {};
globalThis.document = {
	hidden: false,
	addEventListener() {},
	get cookie() {
		return Object.entries(page.cookies).map(([name, value]) => `${name}=${value}`).join('; ');
	},
	set cookie(text) {
		const [, name, value] = /^([^=]*)=([^;]*)/.exec(text);
		page.cookies[name] = value;
	},
};
globalThis.fetch = async (where) => {
	page.asked.push(where);
	return { ok: true, json: async () => ({ data: { username: 'a@pve', ticket: page.ticket, CSRFPreventionToken: 'x' } }) };
};
const api = await import('../../../webui-static/app/api.js');

/** Logs in at a node whose clock is ahead of this browser's by so many ms, and tells how often a ticket is asked for later on. */
async function renewals(ahead) {
	const made = Math.floor((page.now + ahead) / 1000).toString(16).toUpperCase().padStart(8, '0');
	page.ticket = `PVE:a@pve:${made}::sig`;
	await api.login('a', 'secret', 'pve');
	page.asked = [];
	const counts = [];
	for (const step of [HOUR / 2, HOUR / 2 + 1]) {
		page.now += step;
		await page.tick();
		counts.push(page.asked.length);
	}
	return counts;
}

test('a ticket is renewed after an hour, whatever the node’s clock says', async () => {
	for (const ahead of [0, 5 * HOUR, -5 * HOUR])
		assert.deepEqual(await renewals(ahead), [0, 1], `ahead by ${ahead / HOUR} h`);
});

test('no cookie, no renewal: the session is lost', async () => {
	let isLost = false;
	api.onSessionLost(() => { isLost = true; });
	await api.login('a', 'secret', 'pve');
	page.cookies = {};
	page.asked = [];
	await page.tick();
	assert.deepEqual([isLost, page.asked], [true, []]);
});

test('another user in another tab: nothing is asked in the wrong name, and that session stays', async () => {
	let isLost = false;
	page.ticket = 'PVE:a@pve:00000000::sig';
	await api.login('a', 'secret', 'pve');
	api.onSessionLost(() => { isLost = true; });
	page.cookies.PVEAuthCookie = encodeURIComponent('PVE:b@pve:00000000::sig');
	page.asked = [];
	await assert.rejects(api.post('/nodes/n1/lxc/100/status/stop'), { status: 401 });
	assert.deepEqual([isLost, page.asked], [true, []]);
	assert.equal(page.cookies.PVEAuthCookie, encodeURIComponent('PVE:b@pve:00000000::sig'));
});
