// SPDX-License-Identifier: GPL-2.0-or-later
// A container made in steps: errors at their fields while one types, and from the call; a template built by the node; its log followed.
// After this container 100 is there and runs, on the storage "btr".
import { allow, button, closed, dialogOf, env, goTo, headState, holds, lodgeGet, ok, onNode, same, shot, submit } from './browser.mjs';

const tab = (page, name) => page.locator('.steps button', { hasText: name });
const step = (page, name) => tab(page, name).click();
const shown = (page) => page.locator('.steps [aria-current=step]').textContent();
const errorOf = (page, name) => dialogOf(page).locator(`.field[data-name=${name}] .error`);

async function typing(page) {
	await ok('the wizard opens at its first step, with the first field ready', async () => {
		await goTo(page, '/');
		await button(page, 'Create container').first().click();
		await dialogOf(page).getByLabel('ID', { exact: true }).waitFor();
		same(await page.evaluate(() => document.activeElement.name), 'vmid');
		same(await dialogOf(page).getByLabel('ID', { exact: true }).inputValue(), '100');
	});
	await ok('what is wrong is said while one types, in the node’s words, and goes when it is right', async () => {
		await dialogOf(page).getByLabel('ID', { exact: true }).fill('7');
		await errorOf(page, 'vmid').filter({ hasText: 'minimum value of 100' }).waitFor();
		await dialogOf(page).getByLabel('ID', { exact: true }).fill('100');
		await errorOf(page, 'vmid').waitFor({ state: 'detached' });
		await dialogOf(page).getByLabel('Host name').fill('no_name');
		await errorOf(page, 'hostname').waitFor();
		await dialogOf(page).getByLabel('Host name').fill('web');
		await errorOf(page, 'hostname').waitFor({ state: 'detached' });
	});
	await ok('Enter goes on to the next step', async () => {
		await page.keyboard.press('Enter');
		same(await shown(page), 'Template');
		same(await page.evaluate(() => document.activeElement.name), 'ostemplate');
	});
	await ok('a part of a network card that is wrong is said at its own field', async () => {
		await step(page, 'Network');
		await dialogOf(page).getByLabel('IPv4', { exact: true }).selectOption('static');
		await dialogOf(page).getByLabel('Address', { exact: true }).fill('10.0.0.300/24');
		await errorOf(page, 'address').waitFor();
		holds(await tab(page, 'Network').getAttribute('data-bad') !== null, 'the step is marked');
		await shot(page, 'wizard-error');
		await dialogOf(page).getByLabel('IPv4', { exact: true }).selectOption('dhcp');
	});
}

async function build(page) {
	await ok('a template is made by the node, its log is seen, and it is chosen', async () => {
		await step(page, 'Template');
		await button(page, /^Make BusyBox/).click();
		await dialogOf(page).getByText('The template is made and chosen.').waitFor({ timeout: 60000 });
		holds(/busybox_\w+\.tar\.gz$/.test(await dialogOf(page).getByLabel('Template', { exact: true }).inputValue()), 'it is not chosen');
		await dialogOf(page).locator('.log', { hasText: 'TASK OK' }).waitFor();
		await shot(page, 'wizard-template');
	});
}

async function network(page) {
	await ok('the usual ways to be in a network are one press each; a fixed address knows its way out', async () => {
		await step(page, 'Network');
		same(await button(page, 'DHCP').getAttribute('aria-pressed'), 'true');
		await button(page, 'Fixed address').click();
		await dialogOf(page).getByLabel('Address', { exact: true }).waitFor();
		const bridge = (await lodgeGet(`/nodes/${env.node}/network`)).find((i) => i.iface === 'vmbr0');
		same(await dialogOf(page).getByLabel('Gateway').inputValue(), bridge.gateway || bridge.cidr.split('/')[0]);
		await shot(page, 'wizard-network');
		await button(page, 'No network').click();
		await dialogOf(page).getByLabel('Bridge').waitFor({ state: 'detached' });
		await button(page, 'DHCP').click();
		same(await dialogOf(page).getByLabel('IPv4').inputValue(), 'dhcp');
	});
}

/** A template that is downloaded from within the wizard, which keeps what was typed. */
async function fetchTemplate(page) {
	await ok('a template is downloaded right there, and chosen', async () => {
		await step(page, 'Template');
		const before = await dialogOf(page).getByLabel('Template', { exact: true }).inputValue();
		await button(page, 'Download…').click();
		const inner = dialogOf(page).last();
		await inner.getByLabel('Address').fill(`${process.env.LODGE_URL}/other.tar.gz`);
		await inner.getByLabel('Name there').fill('other.tar.gz');
		await shot(page, 'wizard-download');
		await inner.locator('footer').getByRole('button', { name: 'Download' }).click();
		await page.waitForFunction(() => document.querySelectorAll('dialog').length === 1);
		await page.waitForFunction(() => document.querySelector('select[name=ostemplate]').value === 'local:vztmpl/other.tar.gz');
		holds(await page.evaluate(() => document.activeElement.textContent.includes('Download…')), 'the focus is elsewhere');
		await dialogOf(page).getByLabel('Template', { exact: true }).selectOption(before);
		await step(page, 'General');
		same(await dialogOf(page).getByLabel('Host name').inputValue(), 'web');
	});
}

/** What the summary says can be done by command is done, under another id. */
async function command(page) {
	await ok('the summary has the command that does the same; it does', async () => {
		await dialogOf(page).getByLabel('SSH public keys').fill('');
		await step(page, 'Summary');
		await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
		await dialogOf(page).locator('.command summary').click();
		const text = await dialogOf(page).getByLabel('Command', { exact: true }).textContent();
		await button(dialogOf(page), 'Copy').click();
		await dialogOf(page).getByText('Copied.').waitFor();
		same(await page.evaluate(() => navigator.clipboard.readText()), text);
		holds(!text.includes('forest-path-3') && text.startsWith('lodge create 100 --ostemplate'), text);
		await shot(page, 'wizard-command');
		await onNode('sh', '-c', `PASSWORD=forest-path-3; ${text.replace('create 100', 'create 140').replace('--start 1', '--start 0')}`);
		const made = await lodgeGet(`/nodes/${env.node}/lxc/140/config`);
		same([made.hostname, made.memory, made.swap, made.tags, made.description.trim()], ['web', 64, 16, 'web', 'it\'s "$HOME"\n`x`']);
		await onNode('lodge', 'destroy', '140');
	});
}

async function create(page) {
	await ok('an error of the call itself brings up the step of its field', async () => {
		allow(/status of 400.*\/lxc$/);
		await step(page, 'General');
		await dialogOf(page).getByLabel('SSH public keys').fill('no key');
		await dialogOf(page).getByLabel('Password of root').fill('forest-path-3');
		await step(page, 'Resources');
		await dialogOf(page).getByLabel('Root disk on').selectOption('btr');
		await dialogOf(page).getByLabel('Size').fill('0.3');
		await dialogOf(page).getByLabel('Memory').fill('64');
		await dialogOf(page).getByLabel('Swap').fill('16');
		await step(page, 'Options');
		await dialogOf(page).getByLabel('Tags', { exact: true }).fill('web');
		await dialogOf(page).getByLabel('Notes', { exact: true }).fill('it\'s "$HOME"\n`x`');
		await step(page, 'Summary');
		await shot(page, 'wizard-summary');
		await submit(page, 'Create');
		await errorOf(page, 'keys').filter({ hasText: 'not a public key' }).waitFor();
		same(await shown(page).then((t) => t.replace(/ \(.*/, '')), 'General');
		same(await page.evaluate(() => document.activeElement.name), 'keys');
	});
	await command(page);
	await ok('made, followed to the end, started', async () => {
		await dialogOf(page).getByText('0.3 GiB on btr').waitFor();
		await submit(page, 'Create');
		await dialogOf(page).locator('.log').waitFor();
		await closed(page);
		await headState(page, 'running').waitFor();
		const config = await lodgeGet(`/nodes/${env.node}/lxc/100/config`);
		same([config.hostname, config.memory, config.swap, config.tags, config.unprivileged], ['web', 64, 16, 'web', 1]);
		holds(config.rootfs.startsWith('btr:') && /name=eth0,.*ip=dhcp/.test(config.net0), `${config.rootfs} ${config.net0}`);
	});
}

export async function testCreate(page) {
	await typing(page);
	await build(page);
	await fetchTemplate(page);
	await network(page);
	await create(page);
}
