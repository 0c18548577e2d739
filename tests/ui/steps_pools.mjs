// SPDX-License-Identifier: GPL-2.0-or-later
// Pools, and what is done with a node and all of its guests. Container 100 is there, and stopped before and after.
import { allow, allowing, button, closed, dialogOf, env, goTo, headState, holds, lodgeGet, ok, onNode, same, shot, submit } from './browser.mjs';

const guest = `/nodes/${env.node}/lxc/100`;
const field = (page, label) => dialogOf(page).getByLabel(label, { exact: true });
const members = async () => (await lodgeGet('/pools/team')).members.map((m) => m.id).sort();
const row = (page, key) => page.locator(`tr[data-key="${key}"]`);

async function make(page) {
	await ok('a pool is added; a name that cannot be is said at its field', async () => {
		await goTo(page, '/');
		await button(page, 'Add pool').click();
		await field(page, 'Name').fill('no pool');
		await dialogOf(page).locator('.field[data-name=poolid] .error').waitFor();
		await field(page, 'Name').fill('team');
		await field(page, 'Comment').fill('<b>ours</b>');
		await submit(page, 'Add');
		await closed(page);
		await row(page, 'team').getByText('<b>ours</b>').waitFor();
		same((await lodgeGet('/pools/team')).comment, '<b>ours</b>');
	});
	await ok('its comment is changed', async () => {
		await row(page, 'team').getByRole('link', { name: 'team' }).click();
		await button(page, 'Comment').click();
		await field(page, 'Comment').fill('ours');
		await submit(page, 'Save');
		await closed(page);
		await page.locator('.view > p', { hasText: /^ours$/ }).waitFor();
	});
}

async function fill(page) {
	await ok('guests and storages are put in', async () => {
		await button(page, 'Add members').click();
		await dialogOf(page).getByLabel(/^CT 100 /).check();
		await field(page, 'Storage local').check();
		await shot(page, 'pool-add');
		await submit(page, 'Add');
		await closed(page);
		await row(page, 'lxc/100').waitFor();
		await row(page, 'storage/local').waitFor();
		await shot(page, 'pool');
		same(await members(), ['lxc/100', `storage/${env.node}/local`]);
	});
	await ok('a guest’s pool stands in its row and in its summary', async () => {
		await goTo(page, '/');
		await row(page, 'lxc/100').getByRole('link', { name: 'team' }).waitFor();
		await goTo(page, '/guest/lxc/100');
		await page.locator('.facts').getByRole('link', { name: 'team' }).click();
		await page.locator('.head h1', { hasText: 'team' }).waitFor();
	});
	await ok('a clone is put into the pool that was chosen', async () => {
		await goTo(page, '/guest/lxc/100');
		await button(page, 'More').or(page.locator('summary', { hasText: 'More' })).first().click();
		await page.locator('[data-action=clone]').click();
		await field(page, 'ID').fill('160');
		await field(page, 'Pool').selectOption('team');
		await submit(page, 'Clone');
		await page.waitForURL(/guest\/lxc\/160/, { timeout: 60000 });
		same(await members(), ['lxc/100', 'lxc/160', `storage/${env.node}/local`]);
	});
	await ok('a new container can be put into one, too', async () => {
		await button(page, 'Create container').first().click();
		await field(page, 'Pool').waitFor();
		same(await field(page, 'Pool').locator('option').allTextContents(), ['none', 'team']);
		await page.keyboard.press('Escape');
		await closed(page);
	});
}

async function empty(page) {
	await ok('one that has members is not deleted', async () => {
		allow(/status of \d+.*\/pools/);
		await goTo(page, '/pool/team');
		await button(page, 'Delete').click();
		await submit(page, 'Delete');
		await dialogOf(page).locator('.form-error', { hasText: 'team' }).waitFor();
		await page.keyboard.press('Escape');
		await closed(page);
	});
	await ok('members are taken out, and it is deleted', async () => {
		await onNode('lodge', 'destroy', '160');
		for (const key of ['lxc/100', 'storage/local']) {
			await row(page, key).getByRole('button', { name: /^Take out/ }).click();
			await submit(page, 'Take out');
			await closed(page);
			await row(page, key).waitFor({ state: 'detached' });
		}
		await row(page, 'lxc/160').waitFor({ state: 'detached' });
		await allowing(page, /status of \d+.*\/pools/, async () => { // it is asked for once more, perhaps
			await button(page, 'Delete').click();
			await submit(page, 'Delete');
			await closed(page);
			await button(page, 'Add pool').waitFor();
		});
		await row(page, 'team').waitFor({ state: 'detached' });
		same((await lodgeGet('/pools')).length, 0);
	});
}

async function all(page) {
	await ok('start all: those that start with the node', async () => {
		await onNode('lodge', 'put', `${guest}/config`, '--onboot', '1');
		await goTo(page, `/node/${env.node}`);
		await page.locator('[data-action=startall]').click();
		await dialogOf(page).getByText(/Stopped: .*\b100 web\b/).waitFor();
		await submit(page, 'Start all');
		await closed(page);
		await row(page, 'lxc/100').locator('.state', { hasText: 'running' }).waitFor({ timeout: 60000 });
	});
	await ok('reboot and shutdown of the node name who runs before they ask for it', async () => {
		const asked = [];
		const take = async (route) => (route.request().method() === 'POST' ? (asked.push(route.request().postData()), route.fulfill({ json: { data: null } })) : route.continue());
		await page.route(/\/nodes\/[^/]+\/status$/, take);
		for (const [name, label] of [['reboot', 'Reboot'], ['shutdown', 'Shut down']]) {
			await page.locator('summary', { hasText: 'Power' }).click();
			await page.locator(`[data-action=${name}]`).click();
			await dialogOf(page).getByText(/shut down first: .*\b100 web\b/).waitFor();
			await shot(page, `node-${name}`);
			await submit(page, label);
			await closed(page);
		}
		await page.unroute(/\/nodes\/[^/]+\/status$/, take);
		same(asked, ['command=reboot', 'command=shutdown']);
	});
	await ok('stop all names them, and stops them', async () => {
		await page.locator('[data-action=stopall]').click();
		await dialogOf(page).getByText(/Shut down: .*\b100 web\b/).waitFor();
		await field(page, 'Each has at most').fill('10');
		await submit(page, 'Stop all');
		await closed(page);
		await row(page, 'lxc/100').locator('.state', { hasText: 'stopped' }).waitFor({ timeout: 60000 });
		holds((await lodgeGet(`${guest}/status/current`)).status === 'stopped', 'it runs');
		await onNode('lodge', 'put', `${guest}/config`, '--delete', 'onboot');
		await goTo(page, '/guest/lxc/100');
		await headState(page, 'stopped').waitFor();
	});
}

export async function testPools(page) {
	await make(page);
	await fill(page);
	await empty(page);
	await all(page);
}
