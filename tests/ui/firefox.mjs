// SPDX-License-Identifier: GPL-2.0-or-later
// The page in Firefox against a real node, its main ways only; called by 30-firefox.sh, which brings that up.
import { closeBrowser, closed, dialogOf, env, finish, fits, goTo, headState, holds, lodgeGet, login, newPage, ok, same, seen, shot, waitForText } from './browser.mjs';

const PASSWORD = 'forest-path-3';
const page = await newPage();

await ok('Firefox: log in', () => login(page));
await ok('Firefox: the tree is there, and the stream is live', async () => {
	const tree = page.getByRole('navigation', { name: 'Main' });
	await tree.getByRole('link', { name: new RegExp(`^${env.node}`) }).waitFor();
	await tree.getByRole('link', { name: /^local/ }).waitFor();
	await page.getByRole('status', { name: 'Link to the node' }).getByText('Live').waitFor();
	holds(await fits(page), 'something is wider than the window');
	await shot(page, 'firefox-overview');
});
await ok('Firefox: a container is made in the wizard, and started', async () => {
	await page.getByRole('button', { name: 'Create container' }).first().click();
	const dialog = dialogOf(page);
	const step = (name) => dialog.locator('.steps button', { hasText: name }).click();
	await dialog.getByLabel('Host name').fill('fox');
	await dialog.getByLabel('Password of root').fill(PASSWORD);
	await step('Resources');
	await dialog.getByLabel('Size').fill('0.1');
	await dialog.getByLabel('Memory').fill('64');
	await step('Summary');
	await shot(page, 'firefox-summary');
	await dialog.locator('footer').getByRole('button', { name: 'Create', exact: true }).click();
	await closed(page);
	await headState(page, 'running').waitFor({ timeout: 60000 });
	same((await lodgeGet(`/nodes/${env.node}/lxc/100/config`)).hostname, 'fox');
});
await ok('Firefox: its console answers', async () => {
	await goTo(page, '/guest/lxc/100/console');
	await page.locator('.console-screen[data-state=open]').waitFor();
	await page.keyboard.press('Enter');
	await waitForText(page, /login: /);
	await page.keyboard.type('root\n');
	await waitForText(page, /assword: /);
	await page.keyboard.type(`${PASSWORD}\n`);
	await waitForText(page, /# /);
	await page.keyboard.type('echo answer-$((6*7))\n');
	await waitForText(page, /answer-42/);
	await shot(page, 'firefox-console');
});
await ok('Firefox: stopped, with a question before', async () => {
	await page.locator('[data-action=stop]:enabled').click();
	await dialogOf(page).getByRole('button', { name: 'Stop' }).click();
	await headState(page, 'stopped').waitFor();
});
await ok('Firefox: no error, no violation of the policy', () => same([seen.errors, seen.violations, seen.foreign], [[], [], []]));
await closeBrowser();
finish();
