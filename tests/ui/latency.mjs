// SPDX-License-Identifier: GPL-2.0-or-later
// The browser's half of a figure (tests/bench/figure_latency.py): reads "KIND/ID" lines, shows that guest, says
// "running", then the wall clock in ms at which the page says "stopped".
import { createInterface } from 'node:readline';
import { closeBrowser, goTo, headState, login, newPage } from './browser.mjs';

const page = await newPage();
await login(page);

/** Looked at in each change of the document, so that nothing is polled. */
const stoppedAt = () => page.evaluate(() => new Promise((resolve) => {
	const look = () => document.querySelector('.head h1 .state')?.textContent.includes('stopped') && resolve(Date.now());
	new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
	look();
}));

for await (const guest of createInterface({ input: process.stdin })) {
	await goTo(page, `/guest/${guest}`);
	await headState(page, 'running').waitFor();
	const at = stoppedAt();
	await page.evaluate(() => 0); // the observer is there
	console.log('running');
	console.log(await at);
}
await closeBrowser();
