// SPDX-License-Identifier: GPL-2.0-or-later
// By keyboard alone, on a phone, in both themes; focus that stays; pictures of all views.
import { active, isAccessible, tabTo } from './accessible.mjs';
import { env, fits, goTo, headState, holds, login, newPage, ok, same, shot, visit } from './browser.mjs';

export async function testKeyboard() {
	const page = await newPage();

	await ok('logged in by keyboard alone', async () => {
		await visit(page);
		await page.getByRole('button', { name: 'Log in' }).waitFor();
		await page.keyboard.type(env.user.split('@')[0]);
		await page.keyboard.press('Tab');
		await page.keyboard.type(env.password);
		await tabTo(page, /BUTTON Log in/, { limit: 4 });
		await page.keyboard.press('Enter');
		await page.getByRole('navigation', { name: 'Main' }).waitFor();
		await page.locator('tr[data-key="lxc/100"]').waitFor();
	});
	await ok('a guest is found and started by keyboard alone', async () => {
		await tabTo(page, /guest\/lxc\/100/);
		await page.keyboard.press('Enter');
		await headState(page, 'stopped').waitFor();
		await tabTo(page, / start$/);
		await page.keyboard.press('Enter');
		await headState(page, 'running').waitFor();
	});
	await ok('dialogs too: Escape, and Enter', async () => {
		await page.locator('[data-action=stop]:enabled').waitFor();
		await page.locator('[data-action=stop]').focus();
		await page.keyboard.press('Enter');
		await page.getByRole('dialog').waitFor();
		await page.keyboard.press('Escape');
		await page.getByRole('dialog').waitFor({ state: 'detached' });
		holds(/ stop$/.test(await active(page)), `focus is at ${await active(page)}`);
	});
	await ok('focus stays in a table whose figures change', async () => {
		await goTo(page, '/');
		await page.getByRole('columnheader', { name: 'Uptime' }).getByRole('button').click();
		const link = page.locator('tr[data-key="lxc/100"] td.name a');
		const uptime = page.locator('tr[data-key="lxc/100"] td').nth(6);
		await link.focus();
		for (let i = 0; i < 2; i++) {
			const before = await uptime.textContent();
			await page.waitForFunction(([text]) => document.querySelectorAll('tr[data-key="lxc/100"] td')[6].textContent !== text, [before], { timeout: 20000 });
		}
		holds(await link.evaluate((e) => e === document.activeElement), `focus is at ${await active(page)}`);
	});
	await page.context().close();
}

const VIEWS = [
	['overview', '/', 'tr[data-key="lxc/100"]'],
	['node', (n) => `/node/${n}`, '.facts dt'],
	['storage', (n) => `/storage/${n}/local`, 'td.name .mono'],
	['guest', '/guest/lxc/100', '.facts dt'],
	['console', '/guest/lxc/100/console', '.console-screen[data-state=open]'],
	['config', '/guest/lxc/100/config', 'tr[data-key=memory]'],
	['guest-tasks', '/guest/lxc/100/tasks', 'td.name a'],
	['screen', '/guest/qemu/101/console', '.console-screen[data-state=open] canvas'],
	['tasks', '/tasks', 'td.name a'],
];

async function pictures(width, height, scheme) {
	const page = await newPage({ width, height, scheme });
	const name = (view) => `${view}-${width}-${scheme}`;

	await visit(page);
	await page.getByRole('button', { name: 'Log in' }).waitFor();
	await shot(page, name('login'));
	await isAccessible(page, 'login');
	await login(page);
	for (const [view, hash, there] of VIEWS) {
		await goTo(page, typeof hash === 'string' ? hash : hash(env.node));
		await page.locator(there).first().waitFor({ timeout: 30000 });
		holds(await fits(page), `${view} is wider than ${width} px`);
		await isAccessible(page, view);
		await shot(page, name(view));
	}
	await goTo(page, '/');
	for (const kind of ['container', 'VM']) {
		await page.getByRole('button', { name: `Create ${kind}` }).first().click();
		await page.getByRole('dialog').getByLabel('ID', { exact: true }).waitFor();
		holds(await fits(page), `the dialog is wider than ${width} px`);
		await isAccessible(page, `create ${kind}`);
		await shot(page, name(`create-${kind}`));
		await page.keyboard.press('Escape');
		await page.getByRole('dialog').waitFor({ state: 'detached' });
	}
	same(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), scheme === 'light' ? 'rgb(244, 246, 244)' : 'rgb(18, 23, 21)');
	await page.context().close();
}

export async function testPictures() {
	for (const [width, height] of [[1280, 800], [768, 900], [360, 740]])
		for (const scheme of ['light', 'dark'])
			await ok(`all views at ${width} px, ${scheme}`, () => pictures(width, height, scheme));
}
