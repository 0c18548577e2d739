// SPDX-License-Identifier: GPL-2.0-or-later
// A node's network: a bridge made, seen as a change, reverted, applied; one that nobody confirms goes back. DNS, hosts, time.
import { allow, allowing, button, closed, dialogOf, env, goTo, holds, lodgeGet, ok, onNode, quieten, same, shot, submit } from './browser.mjs';

const row = (page, name) => page.locator(`tr[data-key=${name}]`);
const field = (page, label) => dialogOf(page).getByLabel(label, { exact: true });

async function add(page, cidr) {
	await button(page, 'Add bridge').click();
	await field(page, 'Name').fill('vmbr7');
	await field(page, 'IPv4 address').fill('10.7.0.1');
	await dialogOf(page).locator('.field[data-name=cidr] .error').waitFor();
	await field(page, 'IPv4 address').fill(cidr);
	await dialogOf(page).locator('.field[data-name=cidr] .error').waitFor({ state: 'detached' });
	await submit(page, 'Save');
	await closed(page);
	await page.locator('.diff', { hasText: cidr }).waitFor();
}

async function interfaces(page) {
	await ok('interfaces are listed, and whose they are', async () => {
		await goTo(page, `/node/${env.node}/network`);
		await row(page, 'eth0').filter({ hasText: 'the host' }).waitFor();
		await row(page, 'vmbr0').filter({ hasText: 'NAT' }).waitFor();
		await button(page, 'Change eth0').waitFor(); // what one may do is known by now
		same(await row(page, 'vmbr0').locator('button').count(), 0);
	});
	await ok('a bridge is a change that waits; it is reverted', async () => {
		await add(page, '10.7.0.1/24');
		await row(page, 'vmbr7').filter({ hasText: 'not made yet' }).waitFor();
		await shot(page, 'network-changes');
		await button(page, 'Revert').click();
		await row(page, 'vmbr7').waitFor({ state: 'detached' });
		await page.locator('.diff').waitFor({ state: 'detached' });
	});
	await ok('applied, confirmed by being seen again', async () => {
		await add(page, '10.7.0.2/24');
		await button(page, 'Apply…').click();
		await submit(page, 'Apply');
		await dialogOf(page).getByText('The changes are applied, and kept.').waitFor({ timeout: 30000 });
		await shot(page, 'network-applied');
		await button(dialogOf(page), 'Close').last().click();
		await row(page, 'vmbr7').filter({ hasText: 'up' }).waitFor();
		holds((await onNode('ip', '-4', 'address', 'show', 'dev', 'vmbr7')).includes('10.7.0.2/24'), 'it has no address');
	});
	await ok('“Go back now” goes back, however late it is pressed', () => allowing(page, /ERR_FAILED/, async () => {
		await button(page, 'Change vmbr7').click();
		await field(page, 'IPv4 address').fill('10.7.0.3/24');
		await submit(page, 'Save');
		await closed(page);
		await button(page, 'Apply…').click();
		// nothing of the page is heard of meanwhile, which would keep the change
		const isApply = (request) => request.method() === 'PUT' || request.method() === 'DELETE';
		const mute = (route) => (isApply(route.request()) ? route.continue() : route.abort());
		await page.route('**/api2/json/**', mute);
		await submit(page, 'Apply');
		await onNode('sh', '-c', 'i=0; until [ -s /run/lodge/network/waiting ]; do i=$((i+1)); [ $i -lt 200 ] || exit 1; sleep 0.1; done');
		holds((await onNode('ip', '-4', 'address', 'show', 'dev', 'vmbr7')).includes('10.7.0.3/24'), 'it was not applied');
		await onNode('sh', '-c', 'f=/run/lodge/network/waiting; until [ $(($(date +%s) - $(stat -c %Y $f))) -gt 3 ]; do sleep 0.2; done');
		await button(dialogOf(page), 'Go back now').click();
		await dialogOf(page).getByText('Everything goes back…').waitFor();
		await onNode('sh', '-c', 'i=0; while [ -e /run/lodge/network/waiting ]; do i=$((i+1)); [ $i -lt 200 ] || exit 1; sleep 0.1; done');
		await page.unroute('**/api2/json/**', mute);
		await dialogOf(page).getByText('The changes went back').waitFor({ timeout: 30000 });
		await shot(page, 'network-back-now');
		same(await page.locator('.toast').count(), 0);
		await button(dialogOf(page), 'Close').last().click();
		await quieten(page);
		holds((await onNode('ip', '-4', 'address', 'show', 'dev', 'vmbr7')).includes('10.7.0.2/24'), 'the address is another');
		await button(page, 'Revert').click();
		await page.locator('.diff').waitFor({ state: 'detached' });
	}));
	await ok('notes that have no field here are kept', async () => {
		await onNode('lodge', 'network', 'set', 'vmbr7', '--comments6', 'of the other family');
		await goTo(page, `/node/${env.node}/system`);
		await goTo(page, `/node/${env.node}/network`);
		await button(page, 'Change vmbr7').click();
		await field(page, 'Notes').fill('of the page');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'vmbr7').filter({ hasText: 'of the page' }).waitFor();
		same(await lodgeGet(`/nodes/${env.node}/network/vmbr7`).then((i) => [i.comments.trim(), i.comments6?.trim()]), ['of the page', 'of the other family']);
		await button(page, 'Revert').click();
		await page.locator('.diff').waitFor({ state: 'detached' });
	});
	await ok('it is removed the same way', async () => {
		await button(page, 'Remove vmbr7').click();
		await submit(page, 'Remove');
		await closed(page);
		await button(page, 'Apply…').click();
		await submit(page, 'Apply');
		await dialogOf(page).getByText('The changes are applied, and kept.').waitFor({ timeout: 30000 });
		await button(dialogOf(page), 'Close').last().click();
		await row(page, 'vmbr7').waitFor({ state: 'detached' });
	});
}

/** eth0's address goes to another one: the page loses the node, and the change goes back by itself. */
async function cutOff(page) {
	await ok('what cuts the page off counts down and goes back', () => allowing(page, /ERR_|Failed to load resource/, async () => {
		await goTo(page, `/node/${env.node}/network`);
		await button(page, 'Change eth0').click();
		await field(page, 'IPv4 address').fill('10.99.0.177/24');
		await field(page, 'IPv4 gateway').fill('10.99.0.1');
		await submit(page, 'Save');
		await closed(page);
		await button(page, 'Apply…').click();
		await field(page, 'Go back unless confirmed within').fill('12');
		await submit(page, 'Apply');
		await page.locator('.countdown', { hasText: /The node does not answer this page.*in \d+ s/s }).waitFor({ timeout: 40000 });
		await shot(page, 'network-lost');
		await page.locator('.countdown', { hasText: 'The changes went back' }).waitFor({ timeout: 60000 });
		await shot(page, 'network-back');
		await button(dialogOf(page), 'Close').last().click();
		await quieten(page);
		holds((await onNode('ip', '-4', 'address', 'show', 'dev', 'eth0')).includes(new URL(env.base).hostname), 'the address is another');
		await goTo(page, `/node/${env.node}/network`);
		await button(page, 'Revert').click();
		await page.locator('.diff').waitFor({ state: 'detached' });
		await page.getByRole('status', { name: 'Link to the node' }).getByText('Live').waitFor({ timeout: 40000 });
	}));
}

async function system(page) {
	const panel = (name) => page.getByRole('region', { name, exact: true });
	await ok('DNS, hosts file and time zone are changed', async () => {
		await goTo(page, `/node/${env.node}/system`);
		await panel('DNS').getByLabel('First server').fill('300.1.1.1');
		await panel('DNS').locator('.field[data-name=dns1] .error').waitFor();
		await panel('DNS').getByLabel('First server').fill('192.0.2.53');
		await panel('DNS').getByLabel('Search domains').fill('example.test lab.test');
		await button(panel('DNS'), 'Save').click();
		await panel('DNS').getByText('Saved.').waitFor();
		same(await lodgeGet(`/nodes/${env.node}/dns`).then((d) => [d.search, d.dns1]), ['example.test lab.test', '192.0.2.53']);
		await goTo(page, `/node/${env.node}/network`);
		await goTo(page, `/node/${env.node}/system`); // read anew
		await panel('DNS').getByLabel('First server').fill('192.0.2.54');
		await button(panel('DNS'), 'Save').click();
		await panel('DNS').getByText('Saved.').waitFor();
		same((await onNode('cat', '/etc/resolv.conf')).split('\n').slice(0, 2), ['search example.test lab.test', 'nameserver 192.0.2.54']);
		await panel('Time').getByLabel('Time zone').selectOption('Europe/Berlin');
		await button(panel('Time'), 'Save').click();
		await panel('Time').getByText('Saved.').waitFor();
		same((await lodgeGet(`/nodes/${env.node}/time`)).timezone, 'Europe/Berlin');
		const hosts = panel('Hosts file').getByLabel('Names and addresses');
		await hosts.fill(`${await hosts.inputValue()}192.0.2.9 printer\n`);
		await button(panel('Hosts file'), 'Save').click();
		await panel('Hosts file').getByText('Saved.').waitFor();
		holds((await onNode('cat', '/etc/hosts')).includes('192.0.2.9 printer'), 'it is not there');
		await shot(page, 'system');
	});
	await ok('a hosts file that somebody else changed meanwhile: both texts are there', async () => {
		allow(/status of 500.*\/hosts/);
		const hosts = panel('Hosts file').getByRole('textbox');
		await hosts.fill(`${await hosts.inputValue()}192.0.2.10 scanner\n`);
		await onNode('sh', '-c', 'echo 192.0.2.11 theirs >>/etc/hosts');
		await button(panel('Hosts file'), 'Save').click();
		await panel('Hosts file').locator('.stored', { hasText: '192.0.2.11 theirs' }).waitFor();
		holds((await hosts.inputValue()).includes('scanner'), 'what was typed is lost');
		await shot(page, 'system-conflict');
		await hosts.fill(`${await hosts.inputValue()}192.0.2.11 theirs\n`);
		await button(panel('Hosts file'), 'Save').click();
		await panel('Hosts file').getByText('Saved.').waitFor();
		same(await panel('Hosts file').locator('.stored, .conflict').count(), 0);
		holds(/scanner[^]*theirs/.test(await onNode('cat', '/etc/hosts')), 'one of both is gone');
	});
}

export async function testNetwork(page) {
	await interfaces(page);
	await system(page);
	await cutOff(page);
}
