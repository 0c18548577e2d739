// SPDX-License-Identifier: GPL-2.0-or-later
// Logging in, what is remembered of it, and what happens when it is lost.
import { allow, allowing, holds, login, newPage, ok, same, shot, visit } from './browser.mjs';

export async function testLogin() {
	const page = await newPage();

	await ok('the page asks who one is', async () => {
		await visit(page);
		await page.getByRole('button', { name: 'Log in' }).waitFor();
		same(await page.evaluate(() => document.activeElement.name), 'user');
		await page.getByLabel('Realm').locator('option[value=pve]').waitFor({ state: 'attached' });
	});
	await ok('a wrong password is told', async () => {
		allow(/status of 401.*access\/ticket/);
		await page.getByLabel('User').fill('admin');
		await page.getByLabel('Password').fill('wrong');
		await page.keyboard.press('Enter');
		await page.getByRole('alert').filter({ hasText: 'User name or password is wrong.' }).waitFor();
		await shot(page, 'login-wrong');
	});
	await ok('the right one opens the overview, empty at first', async () => {
		await login(page);
		await page.getByText('No guests yet.').waitFor();
		await shot(page, 'overview-empty');
	});
	await ok('the state comes by the event stream', () => page.getByRole('status', { name: 'Link to the node' }).getByText('Live').waitFor());
	await ok('nothing is remembered but the cookie', async () => {
		const cookies = await page.context().cookies();
		same(cookies.map((c) => [c.name, c.secure, c.sameSite]), [['PVEAuthCookie', true, 'Strict']]);
		same(await page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage)]), [[], []]);
	});
	await ok('a reload asks for nothing', async () => {
		await page.reload();
		await page.getByRole('navigation', { name: 'Main' }).waitFor();
	});
	await ok('the theme is changed by its button and kept', async () => {
		await page.getByRole('button', { name: 'Use the dark theme' }).click();
		await page.reload();
		await page.getByRole('button', { name: 'Use the light theme' }).waitFor();
		same(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'dark');
		await page.getByRole('button', { name: 'Use the light theme' }).click();
	});
	await ok('leaving forgets the cookie', async () => {
		await page.getByRole('button', { name: 'Log out' }).click();
		await page.getByRole('button', { name: 'Log in' }).waitFor();
		same(await page.context().cookies(), []);
	});
	await page.context().close();
}

/** At the end: what a lost ticket and a lost stream do. */
export async function testLoss() {
	const page = await newPage();

	await ok('without a stream the lists are polled', () => allowing(page, /ERR_FAILED.*cluster\/events/, async () => {
		await page.route('**/cluster/events*', (route) => route.abort());
		await login(page);
		await page.getByRole('status', { name: 'Link to the node' }).getByText('Polling').waitFor();
		const before = Date.now();
		await page.waitForResponse(/cluster\/resources/);
		await page.waitForResponse(/cluster\/resources/);
		holds(Date.now() - before < 9000, 'polled too seldom');
		await page.unroute('**/cluster/events*');
	}));
	await ok('a ticket that is no longer good leads back to the login', () => allowing(page, /status of 401/, async () => {
		await page.context().clearCookies();
		await page.getByRole('button', { name: 'Log in' }).waitFor();
	}));
	await page.context().close();
}
