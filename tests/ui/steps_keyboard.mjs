// SPDX-License-Identifier: GPL-2.0-or-later
// The page without a mouse: a container made step by step, its configuration changed, a snapshot taken, a file sent, the console used. Each
// time the focus is where one would go on. Wants the storage "btr" and a template on "local".
import { writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { active, tabTo } from './accessible.mjs';
import { closed, dialogOf, env, goTo, headState, holds, lodgeGet, login, newPage, ok, same, shot, waitForText } from './browser.mjs';

const press = (page, ...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
const retype = async (page, text) => {
	await page.keyboard.press('Control+A');
	await page.keyboard.type(text);
};
const shownStep = (page) => page.locator('.steps [aria-current=step]').textContent();

async function create(page) {
	await ok('by keyboard: a container is made in the wizard', async () => {
		await tabTo(page, /Create container/);
		await press(page, 'Enter');
		await dialogOf(page).getByLabel('ID', { exact: true }).waitFor();
		await retype(page, '150');
		await tabTo(page, /Host name/);
		await page.keyboard.type('keys');
		await press(page, 'Enter');
		same(await shownStep(page), 'Template');
		await tabTo(page, /BUTTON Next/);
		await press(page, 'Enter');
		same(await shownStep(page), 'Resources');
		holds(/Root disk on/.test(await active(page)), `the focus is at ${await active(page)}`);
		await page.keyboard.type('btr');
		await tabTo(page, /Size/, { limit: 1 });
		await retype(page, '0.3');
		await tabTo(page, /Memory/, { limit: 1 });
		await retype(page, '64');
		await press(page, 'Enter');
		await tabTo(page, /BUTTON No network/);
		await press(page, 'Space');
		await dialogOf(page).getByLabel('Bridge').waitFor({ state: 'detached' });
		await tabTo(page, /BUTTON Next/);
		await press(page, 'Enter');
		same(await shownStep(page), 'Options');
		await press(page, 'Enter');
		same(await shownStep(page), 'Summary');
		holds(/Start it when it is made/.test(await active(page)), `the focus is at ${await active(page)}`);
		await press(page, 'Space');
		await press(page, 'Enter');
		await dialogOf(page).locator('.log').waitFor();
		await closed(page);
		await headState(page, 'stopped').waitFor();
		same(await lodgeGet(`/nodes/${env.node}/lxc/150/config`).then((c) => [c.hostname, c.memory, 'net0' in c]), ['keys', 64, false]);
		holds(/Create container/.test(await active(page)), `the focus is at ${await active(page)}`);
	});
}

async function editor(page) {
	await ok('by keyboard: a value is changed, and the focus comes back to its row', async () => {
		await page.locator('[data-action=start]:enabled').waitFor();
		await tabTo(page, /A Configuration/);
		await press(page, 'Enter');
		await page.locator('tr[data-key=memory]').waitFor();
		await tabTo(page, /Change swap/);
		await press(page, 'Enter');
		await dialogOf(page).waitFor();
		await retype(page, '48');
		await press(page, 'Enter');
		await closed(page);
		await page.locator('tr[data-key=swap]', { hasText: '48 MiB' }).waitFor();
		holds(/Change swap/.test(await active(page)), `the focus is at ${await active(page)}`);
	});
	await ok('by keyboard: the start order, through all of its fields', async () => {
		await tabTo(page, /Change start and stop order/);
		await press(page, 'Enter');
		await dialogOf(page).waitFor();
		await page.keyboard.type('3');
		await press(page, 'Tab');
		await page.keyboard.type('20');
		await press(page, 'Tab');
		await page.keyboard.type('40');
		await press(page, 'Enter');
		await closed(page);
		await page.locator('tr[data-key=startup]', { hasText: '3,up=20,down=40' }).waitFor();
		holds(/Change start and stop order/.test(await active(page)), `the focus is at ${await active(page)}`);
	});
}

async function snapshot(page) {
	await ok('by keyboard: a snapshot is taken, and its actions are reached', async () => {
		await tabTo(page, /A Snapshots/, { key: 'Shift+Tab' });
		await press(page, 'Enter');
		await page.locator('.snapshots').waitFor();
		await page.getByRole('button', { name: 'Take snapshot' }).and(page.locator(':enabled')).waitFor();
		await tabTo(page, /BUTTON Take snapshot/);
		await press(page, 'Enter');
		await dialogOf(page).waitFor();
		await page.keyboard.type('one');
		await press(page, 'Enter');
		await closed(page);
		await page.locator('tr[data-key=one]').waitFor();
		await tabTo(page, /Roll back to one/);
		await press(page, 'Enter');
		await dialogOf(page).waitFor();
		await press(page, 'Escape');
		await closed(page);
		holds(/Roll back to one/.test(await active(page)), `the focus is at ${await active(page)}`);
	});
}

async function remove(page) {
	await ok('by keyboard: what is deleted leaves the focus at its table', async () => {
		await page.locator('[data-action=start]:enabled').waitFor();
		await tabTo(page, /Delete one/);
		await press(page, 'Enter');
		await dialogOf(page).waitFor();
		await tabTo(page, /BUTTON Delete/, { limit: 4 });
		await press(page, 'Enter');
		await page.locator('tr[data-key=one]').waitFor({ state: 'detached' });
		await closed(page);
		holds(/^TABLE/.test(await active(page)), `the focus is at ${await active(page)}`);
	});
}

async function console_(page) {
	await ok('by keyboard: started, into the console, and out again', async () => {
		await page.locator('[data-action=start]:enabled').waitFor();
		await tabTo(page, / start$/, { key: 'Shift+Tab' });
		await press(page, 'Enter');
		await headState(page, 'running').waitFor();
		await page.locator('[data-action=stop]:enabled').waitFor();
		await tabTo(page, /A Console/);
		await press(page, 'Enter');
		await page.locator('.console-screen[data-state=open]').waitFor();
		await page.waitForFunction(() => document.activeElement.closest('.console-screen'));
		await press(page, 'Enter');
		await waitForText(page, /login: /);
		await page.keyboard.type('nobody-here\t');
		await waitForText(page, /nobody-here/);
		await press(page, 'Control+F6');
		holds(await page.evaluate(() => Boolean(document.activeElement.closest('.console-bar'))), `the focus is at ${await active(page)}`);
		await tabTo(page, / stop$/, { key: 'Shift+Tab' });
		await press(page, 'Enter');
		await dialogOf(page).waitFor();
		await tabTo(page, /BUTTON Stop/, { limit: 4 });
		await press(page, 'Enter');
		await headState(page, 'stopped').waitFor();
	});
}

async function upload(page) {
	await ok('by keyboard: a file is chosen and sent', async () => {
		const file = join(mkdtempSync(join(tmpdir(), 'lodge-ui-')), 'keys.iso');
		writeFileSync(file, 'x'.repeat(70000));
		await tabTo(page, new RegExp(`A .*storage/${env.node}/local`));
		await press(page, 'Enter');
		await page.locator('.head h1', { hasText: 'local' }).waitFor();
		await tabTo(page, /BUTTON Upload/);
		await press(page, 'Enter');
		await dialogOf(page).waitFor();
		holds(/Files/.test(await active(page)), `the focus is at ${await active(page)}`);
		const chooser = page.waitForEvent('filechooser');
		await active(page); // by then the browser knows that the chooser is waited for
		await press(page, 'Space');
		await (await chooser).setFiles(file);
		same(await dialogOf(page).getByLabel('It is a').inputValue(), 'iso');
		await tabTo(page, /BUTTON Upload/);
		await press(page, 'Enter');
		await closed(page);
		await page.locator('tr[data-key="local:iso/keys.iso"]').waitFor();
		holds(/BUTTON Upload/.test(await active(page)), `the focus is at ${await active(page)}`);
		await tabTo(page, /Delete local:iso\/keys\.iso/);
		await press(page, 'Enter');
		await dialogOf(page).waitFor();
		await tabTo(page, /BUTTON Delete/, { limit: 4 });
		await press(page, 'Enter');
		await page.locator('tr[data-key="local:iso/keys.iso"]').waitFor({ state: 'detached' });
		await page.waitForFunction(() => document.activeElement.tagName === 'TABLE'); // its row is gone
		await shot(page, 'keyboard-end');
	});
}

export async function testManageKeyboard() {
	const page = await newPage();

	await login(page);
	await goTo(page, '/');
	await create(page);
	await editor(page);
	await snapshot(page);
	await remove(page);
	await console_(page);
	await upload(page);
	await page.context().close();
}
