// SPDX-License-Identifier: GPL-2.0-or-later
// Whoever may do less is offered less. Container 100 is there, and stopped.
import { button, env, goTo, holds, login, newPage, ok, onNode, same, shot, withRights } from './browser.mjs';

const PASSWORD = 'only-for-this-test';
const USERS = { looker: 'PVEAuditor', operator: 'PVEVMUser' };

async function enter(name, role) {
	await onNode('lodge', 'post', '/access/users', '--userid', `${name}@pve`, '--password', PASSWORD);
	await onNode('lodge', 'put', '/access/acl', '--path', '/vms/100', '--roles', role, '--users', `${name}@pve`);
	const page = await newPage();
	await login(page, `${name}`, PASSWORD);
	return page;
}

const words = async (place) => (await place.getByRole('button').allInnerTexts()).map((t) => t.trim());
const tabs = async (page) => page.locator('nav.tabs a').allInnerTexts();

async function looks(page) {
	await ok('who may only look is offered nothing to do', async () => {
		await goTo(page, '/');
		await page.locator('tr[data-key="lxc/100"]').waitFor();
		same(await page.getByRole('button', { name: /^Create/ }).count(), 0);
		await withRights(page, '/vms/100', () => goTo(page, '/guest/lxc/100'));
		await page.locator('.facts').waitFor();
		same(await words(page.locator('.head')), []);
		holds(!(await tabs(page)).includes('Console'), 'there is a console');
		await shot(page, 'rights-looker');
		await goTo(page, '/guest/lxc/100/config');
		await page.locator('tr[data-key="memory"]').waitFor();
		same(await words(page.locator('main')), []);
		await goTo(page, '/guest/lxc/100/snapshots');
		await page.locator('tr[data-key="current"]').waitFor();
		same(await words(page.locator('main')), []);
	});
}

async function operates(page) {
	await ok('who may switch it on and off is offered that, and its console', async () => {
		await goTo(page, '/guest/lxc/100');
		await button(page, 'Start').waitFor();
		same(await words(page.locator('.head')), ['Start']);
		holds((await tabs(page)).includes('Console'), 'there is no console');
		await shot(page, 'rights-operator');
	});
	await ok('and nothing of its configuration, of which only media are theirs to change', async () => {
		await goTo(page, '/guest/lxc/100/config');
		await page.locator('tr[data-key="memory"]').waitFor();
		same(await words(page.locator('section.panel')), []);
		await goTo(page, '/guest/lxc/100');
		await button(page, 'Start').waitFor();
	});
	await ok('and can do it', async () => {
		await button(page, 'Start').click();
		await button(page, 'Shut down').waitFor({ timeout: 60000 });
		await onNode('lodge', 'stop', '100');
		await button(page, 'Start').waitFor();
	});
	await ok('who may change its network may choose from the bridges that are theirs to use', async () => {
		const bridges = () => page.getByRole('dialog').getByLabel('Bridge', { exact: true }).locator('option').allInnerTexts();
		const look = async () => {
			await goTo(page, '/guest/lxc/100');
			await button(page, 'Start').waitFor();
			await goTo(page, '/guest/lxc/100/config');
			await button(page, 'Add network card').click();
			await page.getByRole('dialog').getByLabel('Bridge', { exact: true }).waitFor();
			const shown = await bridges();
			await button(page, 'Cancel').click();
			return shown;
		};
		await onNode('lodge', 'post', '/access/roles', '--roleid', 'Netter', '--privs', 'VM.Config.Network VM.PowerMgmt VM.Audit VM.Console');
		await onNode('lodge', 'put', '/access/acl', '--path', '/vms/100', '--roles', 'Netter', '--users', 'operator@pve');
		await page.reload();
		same(await look(), ['no network']);
		await onNode('lodge', 'put', '/access/acl', '--path', '/sdn/zones/localnetwork/vmbr0', '--roles', 'PVESDNUser', '--users', 'operator@pve');
		same(await look(), ['vmbr0', 'no network']);
		await onNode('lodge', 'delete', '/access/roles/Netter');
		await goTo(page, '/guest/lxc/100');
	});
	await ok('rights that are taken away are gone with the next look', async () => {
		await onNode('lodge', 'post', '/access/roles', '--roleid', 'console-only', '--privs', 'VM.Audit,VM.Console');
		await onNode('lodge', 'put', '/access/acl', '--path', '/vms/100', '--roles', 'console-only', '--users', 'operator@pve');
		await onNode('lodge', 'put', '/access/acl', '--path', '/vms/100', '--roles', 'PVEVMUser', '--users', 'operator@pve', '--delete', '1');
		await withRights(page, '/vms/100', () => page.reload());
		await page.locator('.facts').waitFor();
		await page.locator('nav.tabs a', { hasText: 'Console' }).waitFor(); // drawn by the same rights as the buttons
		same(await words(page.locator('.head')), []);
	});
}

export async function testRights() {
	const steps = { looker: looks, operator: operates };
	for (const [name, role] of Object.entries(USERS)) {
		const page = await enter(name, role);
		await steps[name](page);
		await page.context().close();
		await onNode('lodge', 'delete', `/access/users/${name}@pve`);
	}
	await onNode('lodge', 'delete', '/access/roles/console-only');
}
