// SPDX-License-Identifier: GPL-2.0-or-later
// The configuration of container 100, which runs: values, pending ones, conflicts, network cards, mount points, features, and its power.
import { allow, button, closed, dialogOf, env, goTo, headState, holds, lodgeGet, ok, onNode, quieten, same, shot, submit } from './browser.mjs';

const guest = `/nodes/${env.node}/lxc/100`;
const config = () => lodgeGet(`${guest}/config`);
const row = (page, key, text) => page.locator(`tr[data-key=${key}]`, text ? { hasText: text } : {});
const field = (page, label) => dialogOf(page).getByLabel(label, { exact: true });

async function values(page) {
	await ok('a limit changes at once in a running container', async () => {
		await goTo(page, '/guest/lxc/100/config');
		await button(page, 'Change memory').click();
		await field(page, 'Memory').fill('80');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'memory', '80').waitFor();
		same((await row(page, 'memory').textContent()).includes('next start'), false);
	});
	await ok('a host name is followed at once', async () => {
		for (const name of ['other', 'web']) {
			await button(page, 'Change host name').click();
			await field(page, 'Host name').fill(name);
			await submit(page, 'Save');
			await closed(page);
			await row(page, 'hostname', name).waitFor();
			same((await row(page, 'hostname').textContent()).includes('next start'), false);
		}
	});
	await ok('what waits for the next start is shown with its old value, and can be reverted', async () => {
		await button(page, 'Change terminals').click();
		await field(page, 'Terminals').fill('3');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'tty', /Becomes 3 at the next start/s).waitFor();
		await shot(page, 'config-pending');
		await button(page, 'Revert terminals').click();
		await row(page, 'tty').locator('.pending').waitFor({ state: 'detached' });
		same((await config()).tty, undefined);
	});
	await ok('what waits is told in one place, and all of it is reverted there, or had by a reboot', async () => {
		const waiting = page.getByRole('region', { name: 'Waiting changes' });
		await onNode('lodge', 'put', `${guest}/config`, '--tty', '3', '--entrypoint', '/sbin/init');
		await waiting.getByText('2 changes wait for the next start').waitFor();
		await shot(page, 'config-waiting');
		await button(waiting, 'Revert all').click();
		await waiting.waitFor({ state: 'detached' });
		same(await config().then((c) => [c.tty, c.entrypoint]), [undefined, undefined]);
		await button(page, 'Change terminals').click();
		await field(page, 'Terminals').fill('3');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'tty', 'Becomes 3 at the next start').waitFor();
		await button(waiting, 'Reboot now').click();
		await waiting.waitFor({ state: 'detached', timeout: 60000 });
		await headState(page, 'running').waitFor();
		await page.locator('[data-action=stop]:enabled').waitFor();
		await row(page, 'tty', '3').waitFor();
	});
	await ok('a change of others in between is told: what was typed stays, what is stored stands beside it', async () => {
		allow(/status of 500.*\/config/);
		await button(page, 'Change tags').click();
		await field(page, 'Tags').fill('mine');
		await onNode('lodge', 'put', `${guest}/config`, '--tags', 'theirs');
		await submit(page, 'Save');
		await dialogOf(page).getByRole('alert').filter({ hasText: 'Somebody else changed this meanwhile' }).waitFor();
		await dialogOf(page).locator('.stored', { hasText: 'Stored now: theirs' }).waitFor();
		same(await field(page, 'Tags').inputValue(), 'mine');
		same(await page.evaluate(() => document.activeElement.name), 'value');
		same((await config()).tags, 'theirs');
		await shot(page, 'config-conflict');
		await button(page, 'Take what is stored: Tags').click();
		same(await field(page, 'Tags').inputValue(), 'theirs');
		await field(page, 'Tags').fill('both');
		await submit(page, 'Save');
		await closed(page);
		await page.locator('.head .tag', { hasText: 'both' }).waitFor();
	});
	await ok('one of something else is told too, and does not get lost', async () => {
		allow(/status of 500.*\/config/);
		await button(page, 'Change notes').click();
		await field(page, 'Notes').fill('typed here');
		await onNode('lodge', 'put', `${guest}/config`, '--tags', 'elsewhere');
		await submit(page, 'Save');
		await dialogOf(page).getByText('nothing that is shown here').waitFor();
		await submit(page, 'Save');
		await closed(page);
		same(await config().then((c) => [c.description.trim(), c.tags]), ['typed here', 'elsewhere']);
	});
	await ok('an empty value goes back to the default', async () => {
		await button(page, 'Change tags').click();
		await field(page, 'Tags').fill('');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'tags', 'default').waitFor();
		same((await config()).tags, undefined);
	});
}

async function network(page) {
	await ok('a network card is added to the running container', async () => {
		await button(page, 'Add network card').click();
		await field(page, 'IPv4').selectOption('static');
		await field(page, 'Address').fill('192.0.2.1');
		await dialogOf(page).locator('.field[data-name=address] .error').waitFor();
		await field(page, 'Address').fill('192.0.2.1/24');
		await field(page, 'Limit of rate').fill('5');
		await shot(page, 'config-net');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'net1', '192.0.2.1/24').waitFor();
		const { net1 } = await config();
		holds(/name=eth1/.test(net1) && /rate=5/.test(net1) && /ip=192\.0\.2\.1\/24/.test(net1), net1);
	});
	await ok('it is changed, and what is not shown stays', async () => {
		const { net1 } = await config();
		await onNode('lodge', 'put', `${guest}/config`, '--net1', `${net1},firewall=1`);
		await row(page, 'net1', 'does not enforce it').waitFor();
		await button(page, 'Change network card 1').click();
		await field(page, 'Limit of rate').fill('');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'net1').filter({ hasNotText: 'rate=' }).waitFor();
		holds(/firewall=1/.test((await config()).net1), 'the firewall is gone');
	});
	await ok('of a card that two change, each keeps what only one touched', async () => {
		allow(/status of 500.*\/config/);
		const { net1 } = await config();
		await button(page, 'Change network card 1').click();
		await field(page, 'Limit of rate').fill('8');
		await field(page, 'MTU').fill('1300');
		await onNode('lodge', 'put', `${guest}/config`, '--net1', `${net1},mtu=1400,tag=9`);
		await submit(page, 'Save');
		await dialogOf(page).locator('.cell', { has: page.getByLabel('MTU') }).locator('.stored', { hasText: '1400' }).waitFor();
		await dialogOf(page).locator('.cell', { has: page.getByLabel('VLAN tag') }).locator('.stored', { hasText: 'Changed by somebody else' }).waitFor();
		same([await field(page, 'MTU').inputValue(), await field(page, 'VLAN tag').inputValue(), await field(page, 'Limit of rate').inputValue()], ['1300', '9', '8']);
		await shot(page, 'config-conflict-net');
		await submit(page, 'Save');
		await closed(page);
		const merged = (await config()).net1;
		holds(/mtu=1300/.test(merged) && /tag=9/.test(merged) && /rate=8/.test(merged) && /firewall=1/.test(merged), merged);
	});
	await ok('two who add a card get two cards', async () => {
		allow(/status of 500.*\/config/);
		await button(page, 'Add network card').click();
		await field(page, 'IPv4').selectOption('');
		await onNode('lodge', 'put', `${guest}/config`, '--net2', 'name=eth2,bridge=vmbr0,link_down=1');
		await submit(page, 'Save');
		await dialogOf(page).getByText('Network card 3 of 100').waitFor();
		same(await field(page, 'Name inside').inputValue(), 'eth3');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'net3', 'name=eth3').waitFor();
		holds((await config()).net2.includes('link_down=1'), 'theirs is gone');
		await button(page, 'Remove network card 3').click();
		await submit(page, 'Remove');
		await closed(page);
		await row(page, 'net3').waitFor({ state: 'detached' });
	});
	await ok('what somebody else removed is not made again by a change of it', async () => {
		allow(/status of 500.*\/config/);
		await button(page, 'Change network card 2').click();
		await field(page, 'MTU').fill('1300');
		await onNode('lodge', 'put', `${guest}/config`, '--delete', 'net2');
		await submit(page, 'Save');
		await dialogOf(page).getByText('Somebody else removed network card 2 meanwhile.').waitFor();
		await page.keyboard.press('Escape');
		await closed(page);
		await row(page, 'net2').waitFor({ state: 'detached' });
		same((await config()).net2, undefined);
	});
	await ok('it is removed', async () => {
		await button(page, 'Remove network card 1').click();
		await submit(page, 'Remove');
		await closed(page);
		await row(page, 'net1').waitFor({ state: 'detached' });
	});
}

async function volumes(page) {
	await ok('a mount point on a new volume', async () => {
		await button(page, 'Add mount point').click();
		await field(page, 'On').selectOption('plain');
		await field(page, 'Size').fill('0.1');
		await field(page, 'Mounted inside on').fill('relative');
		await dialogOf(page).locator('.field[data-name=mp] .error').waitFor();
		await field(page, 'Mounted inside on').fill('/data');
		await shot(page, 'config-mount');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'mp0', 'mp=/data').waitFor();
	});
	await ok('what few need of a mount point is folded away, and stays when it is not touched', async () => {
		await button(page, 'Change mount point 0').click();
		await dialogOf(page).locator('.more-fields summary').click();
		await field(page, 'Taken along by replication').selectOption('0');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'mp0', 'replicate=0').waitFor();
		await button(page, 'Change mount point 0').click();
		await field(page, 'Taken along by backups').check();
		holds(await field(page, 'Taken along by replication').isVisible(), 'what is set is folded away');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'mp0', 'backup=1').waitFor();
		holds(/replicate=0/.test((await config()).mp0), 'it is lost');
	});
	await ok('the container is stopped', async () => {
		await page.locator('[data-action=stop]:enabled').click();
		await submit(page, 'Stop');
		await headState(page, 'stopped').waitFor();
		await page.locator('[data-action=start]:enabled').waitFor();
	});
	await ok('it grows', async () => {
		const before = /size=(\w+)/.exec((await config()).mp0)[1];
		await button(page, 'Grow mount point 0').click();
		await field(page, 'Grow by').fill('1');
		await submit(page, 'Grow');
		await closed(page);
		await page.waitForFunction(([old]) => !document.querySelector('tr[data-key=mp0]').textContent.includes(`size=${old}`), [before]);
		await page.locator('[data-action=start]:enabled').waitFor();
	});
	await ok('the volume moves to another storage', async () => {
		await button(page, 'Move mount point 0').click();
		await field(page, 'Storage').selectOption('local');
		await submit(page, 'Move');
		await closed(page);
		await row(page, 'mp0', 'local:').waitFor({ timeout: 60000 });
	});
	await ok('it is detached, attached again, and deleted at last', async () => {
		await page.locator('[data-action=start]:enabled').waitFor();
		await button(page, 'Detach mount point 0').click();
		await submit(page, 'Detach');
		await closed(page);
		await row(page, 'unused0', 'local:').waitFor();
		await button(page, 'Attach unused volume 0').click();
		await field(page, 'Mounted inside on').fill('/again');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'mp0', 'mp=/again').waitFor();
		await button(page, 'Detach mount point 0').click();
		await submit(page, 'Detach');
		await row(page, 'unused0').waitFor();
		await closed(page);
		await button(page, 'Delete unused volume 0').click();
		await shot(page, 'config-delete');
		await submit(page, 'Delete');
		await closed(page);
		await row(page, 'unused0').waitFor({ state: 'detached' });
		same((await lodgeGet(`/nodes/${env.node}/storage/local/content`)).filter((v) => v.vmid === 100), []);
	});
	await ok('a folder of the node is for root only: the node says so', async () => {
		allow(/status of (400|403).*\/config/);
		await button(page, 'Add mount point').click();
		await field(page, 'On').selectOption('/');
		await field(page, 'Folder of the node').fill('/srv');
		await field(page, 'Mounted inside on').fill('/srv');
		await submit(page, 'Save');
		await page.waitForFunction(() => [...document.querySelectorAll('dialog .error, dialog .form-error')].some((e) => e.textContent));
		await page.keyboard.press('Escape');
		await closed(page);
	});
}

async function options(page) {
	await ok('a start order by its parts, a time zone from the list', async () => {
		await button(page, 'Change start and stop order').click();
		await field(page, 'Place').fill('2');
		await field(page, 'Wait after its start').fill('15');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'startup', '2,up=15').waitFor();
		await button(page, 'Change start and stop order').click();
		same(await field(page, 'Wait after its start').inputValue(), '15');
		await field(page, 'Place').fill('');
		await field(page, 'Wait after its start').fill('');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'startup', 'default').waitFor();
		await button(page, 'Change time zone').click();
		await field(page, 'Time zone').selectOption('Europe/Berlin');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'timezone', 'Europe/Berlin').waitFor();
		await button(page, 'Change time zone').click();
		await field(page, 'Time zone').selectOption('');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'timezone', 'default').waitFor();
	});
	await ok('a hook script is one of the snippets; that it is root’s to choose is said', async () => {
		await onNode('sh', '-c', 'lodge put /storage/local --content iso,vztmpl,rootdir,images,snippets && mkdir -p /var/lib/lodge/local/snippets && printf "#!/bin/sh\n" >/var/lib/lodge/local/snippets/hook.sh && chmod 755 /var/lib/lodge/local/snippets/hook.sh');
		allow(/status of (400|403).*\/config/);
		await button(page, 'Change hook script').click();
		await field(page, 'Hook script').selectOption('local:snippets/hook.sh');
		await submit(page, 'Save');
		await page.waitForFunction(() => [...document.querySelectorAll('dialog .error, dialog .form-error')].some((e) => e.textContent));
		await page.keyboard.press('Escape');
		await closed(page);
	});
	await ok('features, options and a start order', async () => {
		await button(page, 'Change features').click();
		await field(page, 'Containers inside').check();
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'features', 'nesting=1').waitFor();
		await button(page, 'Change console mode').click();
		await field(page, 'Console mode').selectOption('shell');
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'cmode', 'shell').waitFor();
		await button(page, 'Change environment').click();
		await field(page, 'Environment').fill('A=1\nB=two words');
		await submit(page, 'Save');
		await closed(page);
		same((await config()).env.replace('\0', '\\0'), 'A=1\\0B=two words');
	});
	await ok('protection keeps it from being destroyed', async () => {
		await button(page, 'Change protection').click();
		await field(page, 'Protection').check();
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'protection', 'yes').waitFor();
		allow(/status of \d+.*\/lxc\/100\?/);
		await page.locator('[data-action=destroy]:enabled').click();
		await dialogOf(page).getByLabel('Type 100').fill('100');
		await submit(page, 'Destroy');
		await page.locator('.toast', { hasText: /protect/ }).waitFor();
		await quieten(page);
		await button(page, 'Change protection').click();
		await field(page, 'Protection').uncheck();
		await submit(page, 'Save');
		await closed(page);
		await row(page, 'protection', 'no').waitFor();
	});
}

async function power(page) {
	await ok('shut down within a time; what it takes longer it is stopped', async () => {
		await page.locator('[data-action=start]:enabled').click();
		await headState(page, 'running').waitFor();
		await page.locator('[data-action=shutdown]:enabled').waitFor();
		await page.locator('.menu summary').click();
		await shot(page, 'menu');
		await page.keyboard.press('Escape');
		await page.locator('.menu:not([open])').waitFor();
		holds(await page.evaluate(() => document.activeElement.tagName === 'SUMMARY'), 'the focus is elsewhere');
		await page.keyboard.press('Enter');
		await page.locator('[data-action=shutdownWithin]').click();
		await field(page, 'Wait at most').fill('20');
		await field(page, 'Stop it when it takes longer').check();
		await submit(page, 'Shut down');
		await headState(page, 'stopped').waitFor({ timeout: 40000 });
	});
	if (!(await lodgeGet(`${guest}/status`)).some((s) => s.subdir === 'suspend'))
		return console.log('# this node has no suspend');
	await ok('suspended and resumed', async () => {
		await page.locator('[data-action=start]:enabled').click();
		await headState(page, 'running').waitFor();
		await page.locator('[data-action=shutdown]:enabled').waitFor();
		await page.locator('.menu summary').click();
		await page.locator('[data-action=suspend]').click();
		await headState(page, 'paused').waitFor();
		await page.locator('[data-action=resume]:enabled').click();
		await headState(page, 'running').waitFor();
		await page.locator('[data-action=stop]:enabled').click();
		await submit(page, 'Stop');
		await headState(page, 'stopped').waitFor();
	});
}

/** After this the container is stopped. */
export async function testConfig(page) {
	await values(page);
	await network(page);
	await volumes(page);
	await options(page);
	await power(page);
}
