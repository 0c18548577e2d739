// SPDX-License-Identifier: GPL-2.0-or-later
// Snapshots of container 100 on btrfs, which is stopped: made, described, gone back to, deleted; clones and templates; where there are none.
import { allow, becomes, button, closed, dialogOf, env, goTo, headState, holds, lodgeGet, ok, onNode, same, shot, submit } from './browser.mjs';

const guest = `/nodes/${env.node}/lxc/100`;
const row = (page, name) => page.locator(`tr[data-key=${name}]`);

/** The rows with how deep each stands: "first:0", "second:1". */
const tree = (page) => page.locator('.snapshots tbody tr').evaluateAll((rows) => {
	const indents = rows.map((r) => parseFloat(getComputedStyle(r.querySelector('th')).paddingLeft));
	const steps = [...new Set(indents)].sort((a, b) => a - b);
	return rows.map((r, i) => `${r.dataset.key}:${steps.indexOf(indents[i])}`);
});

async function take(page, name, notes = '') {
	await button(page, 'Take snapshot').click();
	await dialogOf(page).getByLabel('Name', { exact: true }).fill(name);
	await dialogOf(page).getByLabel('Notes').fill(notes);
	await submit(page, 'Take snapshot');
	await closed(page);
	await row(page, name).waitFor();
	await page.locator('[data-action=start]:enabled').waitFor();
}

async function snapshots(page) {
	await ok('a name that is none is refused while one types', async () => {
		await goTo(page, '/guest/lxc/100/snapshots');
		await button(page, 'Take snapshot').click();
		await dialogOf(page).getByLabel('Name', { exact: true }).fill('1 2');
		await dialogOf(page).locator('.field[data-name=snapname] .error').waitFor();
		await page.keyboard.press('Escape');
		await closed(page);
	});
	await ok('two snapshots, the second from the first', async () => {
		await take(page, 'first', 'as <i>new</i>');
		await take(page, 'second');
		await becomes(() => tree(page), ['first:0', 'second:1', 'current:2']); // "current" follows when the task has ended
		holds((await row(page, 'first').textContent()).includes('as <i>new</i>'), 'the notes are not text');
		await shot(page, 'snapshots');
	});
	await ok('notes are changed', async () => {
		await button(page, 'Change notes of second').click();
		await dialogOf(page).getByLabel('Notes').fill('later');
		await submit(page, 'Save');
		await row(page, 'second').filter({ hasText: 'later' }).waitFor();
	});
	await ok('rolling back asks, and goes back', async () => {
		await onNode('lodge', 'put', `${guest}/config`, '--tags', 'changed');
		await button(page, 'Roll back to first').click();
		await shot(page, 'rollback');
		await submit(page, 'Roll back');
		await closed(page);
		await becomes(() => tree(page), ['first:0', 'second:1', 'current:1']);
		same((await lodgeGet(`${guest}/config`)).tags, undefined);
		await page.locator('[data-action=start]:enabled').waitFor();
	});
}

async function copies(page) {
	await ok('a clone of a snapshot, its task followed', async () => {
		await button(page, 'Clone second').click();
		await dialogOf(page).getByLabel('ID', { exact: true }).fill('110');
		await dialogOf(page).getByLabel('Host name').fill('copy');
		same(await dialogOf(page).getByLabel('From').inputValue(), 'second');
		await shot(page, 'clone');
		await submit(page, 'Clone');
		await closed(page);
		await page.waitForURL(/guest\/lxc\/110/);
		same((await lodgeGet(`/nodes/${env.node}/lxc/110/config`)).hostname, 'copy');
	});
	await ok('the clone becomes a template, which cannot be started', async () => {
		await page.locator('[data-action=start]:enabled').waitFor();
		await page.locator('.menu summary').click();
		await page.locator('[data-action=template]').click();
		await submit(page, 'Make a template');
		await page.locator('.head .lock', { hasText: 'template' }).waitFor();
		await page.locator('[data-action=start]').waitFor({ state: 'detached' });
	});
	await ok('a clone of the template shares with it', async () => {
		await page.locator('[data-action=destroy]:enabled').waitFor();
		await page.locator('.menu summary').click();
		await page.locator('[data-action=clone]').click();
		await dialogOf(page).getByLabel('ID', { exact: true }).fill('111');
		holds(!(await dialogOf(page).getByLabel('Copy everything').isChecked()), 'it copies everything');
		await submit(page, 'Clone');
		await closed(page);
		await page.waitForURL(/guest\/lxc\/111/);
		await headState(page, 'stopped').waitFor();
	});
	await ok('snapshots are deleted', async () => {
		await goTo(page, '/guest/lxc/100/snapshots');
		for (const name of ['second', 'first']) {
			await page.locator('[data-action=start]:enabled').waitFor();
			await button(page, `Delete ${name}`).click();
			await submit(page, 'Delete');
			await row(page, name).waitFor({ state: 'detached' });
			await closed(page);
		}
	});
}

async function cannot(page) {
	await ok('where a storage has no snapshots that is said, with its reason', async () => {
		await onNode('lodge', 'create', '120', '--ostemplate', 'local:vztmpl/busybox.tar.gz', '--rootfs', 'local:0.1', '--memory', '64');
		await goTo(page, '/guest/lxc/120/snapshots');
		await page.locator('.note', { hasText: 'No snapshot can be taken' }).waitFor();
		holds(await button(page, 'Take snapshot').isDisabled(), 'it can be pressed');
		await shot(page, 'snapshots-none');
	});
	await ok('what a node does not have is told so, and nothing breaks', async () => {
		allow(/status of 501/);
		allow(/status of 501/);
		const missing = (route) => route.fulfill({ status: 501, contentType: 'application/json', body: '{"data":null,"message":"Method not implemented\\n"}' });
		await page.route(/\/lxc\/120\/(snapshot|feature)/, missing);
		await goTo(page, '/guest/lxc/120/tasks');
		await goTo(page, '/guest/lxc/120/snapshots');
		await page.getByText('Snapshots are not available on this node.').waitFor();
		await page.unroute(/\/lxc\/120\/(snapshot|feature)/, missing);
	});
}

export async function testSnapshots(page) {
	await snapshots(page);
	await copies(page);
	await cannot(page);
}
