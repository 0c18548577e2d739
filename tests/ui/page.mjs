// SPDX-License-Identifier: GPL-2.0-or-later
// The page in Chromium against a real node; called by 10-page.sh, which brings that up.
import { closeBrowser, finish, login, newPage, ok, same, seen } from './browser.mjs';
import { testContainer, testDestroy } from './steps_container.mjs';
import { testLogin, testLoss } from './steps_login.mjs';
import { testKeyboard, testPictures } from './steps_looks.mjs';
import { testMachine, testMachineConfig, testMachineEnd } from './steps_machine.mjs';

await testLogin();
const page = await newPage();
await ok('log in', () => login(page));
await testContainer(page);
await testMachine(page);
await testMachineConfig(page);
await testKeyboard();
await testPictures();
await testMachineEnd(page);
await ok('the container is stopped', async () => {
	await page.goto(page.url().replace(/#.*/, '#/guest/lxc/100'));
	await page.locator('[data-action=stop]:enabled').click();
	await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
	await page.locator('[data-action=destroy]:enabled').waitFor();
});
await testDestroy(page);
await testLoss();
await ok('the Content-Security-Policy was never violated', () => same(seen.violations, []));
await ok('the console of the browser shows no error', () => same(seen.errors, []));
await ok('nothing was asked of another host', () => same(seen.foreign, []));
await closeBrowser();
finish();
