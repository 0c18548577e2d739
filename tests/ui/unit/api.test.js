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
globalThis.fetch = async (where, { body }) => {
	page.asked.push(where);
	await page.holds?.(body);
	if (page.status)
		return { ok: false, status: page.status, json: async () => null };
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

/* ---- answers that are late ---- */

const cookieOf = (user, n = 0) => `PVE:${user}:0000000${n}::sig`;
const kept = () => decodeURIComponent(page.cookies.PVEAuthCookie || '');

/** Logs in as a@pve, an hour ago. What is asked for meanwhile and is no log-in waits until the function it returns is called. */
async function held() {
	let release;
	page.ticket = cookieOf('a@pve', 1);
	await api.login('a', 'secret', 'pve');
	page.now += HOUR + 1;
	page.lost = 0;
	api.onSessionLost(() => { page.lost++; });
	const gate = new Promise((resolve) => { release = resolve; });
	page.holds = (body) => (body?.get('realm') ? null : gate);
	return async (renewing, status) => {
		page.ticket = cookieOf('a@pve', 2);
		page.status = status;
		release();
		await renewing;
		page.holds = page.status = undefined;
	};
}

test('who logs out while a renewal is on its way is logged out', async () => {
	const answer = await held();
	const renewing = page.tick();
	api.logout();
	await answer(renewing);
	assert.deepEqual([kept(), page.lost], ['', 1]);
	page.asked = [];
	assert.equal(await api.resume(), null);
	assert.deepEqual(page.asked, []);
});

test('so is who logs out in another tab', async () => {
	const answer = await held();
	const renewing = page.tick();
	page.cookies = {};
	await answer(renewing);
	assert.equal(kept(), '');
	await page.tick();
	assert.equal(page.lost, 1);
});

test('who logs in meanwhile stays: whatever the answer is', async () => {
	for (const status of [undefined, 401]) {
		const answer = await held();
		const renewing = page.tick();
		api.logout();
		page.ticket = cookieOf('b@pve', 3);
		await api.login('b', 'secret', 'pve');
		await answer(renewing, status);
		assert.deepEqual([kept(), page.lost], [cookieOf('b@pve', 3), 1], `status ${status}`);
	}
});

test('who logs in meanwhile in another tab stays, too', async () => {
	for (const status of [undefined, 401]) {
		const answer = await held();
		const renewing = page.tick();
		page.cookies.PVEAuthCookie = encodeURIComponent(cookieOf('b@pve', 3));
		await answer(renewing, status);
		assert.equal(kept(), cookieOf('b@pve', 3), `status ${status}`);
	}
});

test('a page that is loaded while another tab logs out, or in, asks who is there', async () => {
	for (const [other, status] of [['', undefined], ['', 401], [cookieOf('b@pve', 3), undefined], [cookieOf('b@pve', 3), 401]]) {
		const answer = await held();
		const resuming = api.resume();
		page.cookies.PVEAuthCookie = encodeURIComponent(other);
		await answer(assert.rejects(resuming, { status: 0 }), status);
		assert.equal(kept(), other, `${other} ${status}`);
	}
});

test('a refusal of what an earlier session asked for does not end this one', async () => {
	const answer = await held();
	const refused = assert.rejects(api.get('/cluster/resources'), { status: 401 });
	api.logout();
	page.ticket = cookieOf('b@pve', 3);
	await api.login('b', 'secret', 'pve');
	await answer(refused, 401);
	assert.deepEqual([kept(), page.lost], [cookieOf('b@pve', 3), 1]);
	const own = await held();
	await own(assert.rejects(api.get('/cluster/resources'), { status: 401 }), 401);
	assert.deepEqual([kept(), page.lost], ['', 1], 'its own does');
});
