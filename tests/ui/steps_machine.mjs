// SPDX-License-Identifier: GPL-2.0-or-later
// A virtual machine, emulated: created, its serial console and its screen, reset, stopped.
import { button, closed, dialogOf, goTo, headState, holds, lodgeGet, ok, onNode, same, shot, submit, env, waitForText } from './browser.mjs';

const BOOT = 90000; /* ms */
const CURSOR = 400; /* pixels: a blinking cursor is no answer */

/** The canvas as an array of pixels. */
const pixels = (page) => page.locator('.console-screen canvas').evaluate((c) => [...new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)]);
const difference = (a, b) => (a.length === b.length ? a.filter((v, i) => v !== b[i]).length : Math.max(a.length, b.length));

async function wait(what, limit, step) {
	const end = Date.now() + limit;
	for (;;) {
		if (await step())
			return;
		if (Date.now() > end)
			throw new Error(`${what}: not within ${limit} ms`);
		await new Promise((resolve) => { setTimeout(resolve, 250); });
	}
}

/** Two pictures in a row that differ by no more than a cursor. */
async function quiet(page) {
	let last = await pixels(page);
	await wait('a quiet screen', BOOT, async () => {
		const now = await pixels(page);
		const isQuiet = difference(last, now) <= CURSOR && new Set(now).size > 1;
		last = now;
		return isQuiet;
	});
	return last;
}

export async function testMachine(page) {
	await ok('a virtual machine is created and started', async () => {
		await goTo(page, '/');
		await page.getByRole('button', { name: 'Create VM' }).first().click();
		const dialog = page.getByRole('dialog');
		await dialog.getByLabel('Name').fill('machine');
		await dialog.getByLabel('Memory').fill('256');
		await dialog.getByLabel('Size').fill('0.5');
		await dialog.getByLabel('ISO image').selectOption('local:iso/lodge.iso');
		await dialog.getByLabel('virtualisation').uncheck();
		await dialog.getByLabel('Start it').check();
		await shot(page, 'create-machine');
		await dialog.getByRole('button', { name: 'Create', exact: true }).click();
		await headState(page, 'running').waitFor({ timeout: BOOT });
		same((await lodgeGet(`/nodes/${env.node}/qemu/101/config`)).name, 'machine');
	});
	await ok('its serial port is a terminal', async () => {
		await goTo(page, '/guest/qemu/101/console');
		await page.getByRole('button', { name: 'Serial 0' }).click();
		await page.locator('.console-screen[data-state=open]').waitFor();
		await page.keyboard.press('Enter');
		await waitForText(page, /[~/] # /, BOOT);
		await page.keyboard.type('echo answer-$((6*7))\n');
		await waitForText(page, /answer-42/);
		await shot(page, 'machine-serial');
	});
	await ok('its screen answers to keys', async () => {
		await page.getByRole('button', { name: 'Screen' , exact: true }).click();
		await page.locator('.console-screen[data-state=open] canvas').waitFor();
		const before = await quiet(page);
		await page.keyboard.type('busybox\n');
		await wait('an answer on the screen', 20000, async () => difference(before, await pixels(page)) > 4 * CURSOR);
		await quiet(page);
		await shot(page, 'machine-screen');
	});
	await ok('Ctrl+Alt+Del starts it anew', async () => {
		const before = await quiet(page);
		await page.getByRole('button', { name: 'Ctrl+Alt+Del' }).click();
		await wait('another screen', BOOT, async () => difference(before, await pixels(page)) > 4 * CURSOR);
	});
	await ok('the processor\'s load and the memory are shown', async () => {
		await goTo(page, '/guest/qemu/101');
		await page.locator('.figure-panel .spark polyline').first().waitFor({ timeout: 30000 });
		const memory = await page.getByRole('meter', { name: 'Memory' }).getAttribute('aria-valuenow');
		holds(Number(memory) > 0, `memory ${memory} %`);
		await shot(page, 'machine-summary');
	});
}

const config = () => lodgeGet(`/nodes/${env.node}/qemu/101/config`);
const row = (page, key, text) => page.locator(`tr[data-key=${key}]`, text ? { hasText: text } : {});

async function set(page, what, label, value) {
	await button(page, `Change ${what}`).click();
	await dialogOf(page).getByLabel(label, { exact: true }).fill(value);
	await submit(page, 'Save');
	await closed(page);
}

/** What machines share with containers, while it runs. */
export async function testMachineConfig(page) {
	await ok('a machine\'s options: what takes effect at once, and what waits', async () => {
		await goTo(page, '/guest/qemu/101/config');
		await set(page, 'name', 'Name', 'renamed');
		await page.locator('.head h1', { hasText: 'renamed' }).waitFor();
		await set(page, 'tags', 'Tags', 'lab;vm');
		await page.locator('.head .tag', { hasText: 'lab' }).waitFor();
		await set(page, 'cores', 'Cores', '2');
		await row(page, 'cores', 'Becomes 2 at the next start').waitFor();
		await page.getByRole('region', { name: 'Waiting changes' }).getByText('One change waits').waitFor();
		await shot(page, 'machine-config');
		await button(page, 'Revert cores').click();
		await page.getByRole('region', { name: 'Waiting changes' }).waitFor({ state: 'detached' });
		same(await config().then((c) => [c.name, c.cores]), ['renamed', 1]);
		await button(page, 'Change start and stop order').click();
		await dialogOf(page).getByLabel('Place').fill('9');
		await submit(page, 'Save');
		await closed(page);
		holds(/^(order=)?9$/.test((await config()).startup), 'another order');
		await set(page, 'notes', 'Notes', '# Machine');
		await goTo(page, '/guest/qemu/101');
		await page.locator('.notes [role=heading]', { hasText: 'Machine' }).waitFor();
	});
	await ok('only what machines have is offered', async () => {
		await goTo(page, '/guest/qemu/101/config');
		await row(page, 'scsi0').waitFor();
		for (const key of ['swap', 'rootfs', 'features', 'cmode'])
			same([key, await row(page, key).count()], [key, 0]);
		same(await button(page, 'Add mount point').count(), 0);
		same(await row(page, 'ide2').getByRole('button', { name: /Grow|Move/ }).count(), 0);
	});
	await ok('its snapshots: that there can be none is said with the node\'s reason', async () => {
		const feature = JSON.parse(await onNode('lodge', 'get', `/nodes/${env.node}/qemu/101/feature`, '--feature', 'snapshot', '--json'));
		await goTo(page, '/guest/qemu/101/snapshots');
		await row(page, 'current').waitFor();
		if (feature.hasFeature)
			return await button(page, 'Take snapshot').and(page.locator(':enabled')).waitFor();
		holds(feature.reason, 'the node gives no reason');
		await page.locator('.note', { hasText: feature.reason }).waitFor();
		holds(await button(page, 'Take snapshot').isDisabled(), 'it can be pressed');
	});
}

/** The disks of a machine that is stopped. */
async function disks(page) {
	await ok('a machine\'s disk grows, is detached, and deleted', async () => {
		await goTo(page, '/guest/qemu/101/config');
		const size = /size=(\w+)/.exec((await config()).scsi0)[1];
		await button(page, 'Grow scsi disk 0').click();
		await dialogOf(page).getByText(size).waitFor();
		await dialogOf(page).getByLabel('Grow by').fill('0.5');
		await submit(page, 'Grow');
		await closed(page);
		await page.waitForFunction(([old]) => !document.querySelector('tr[data-key=scsi0]').textContent.includes(`size=${old}`), [size]);
		await page.locator('[data-action=start]:enabled').waitFor();
		await button(page, 'Detach scsi disk 0').click();
		await submit(page, 'Detach');
		await closed(page);
		await row(page, 'unused0').waitFor();
		same(await row(page, 'unused0').getByRole('button', { name: /Attach/ }).count(), 0);
		await shot(page, 'machine-unused');
		await button(page, 'Delete unused volume 0').click();
		await submit(page, 'Delete');
		await closed(page);
		await row(page, 'unused0').waitFor({ state: 'detached' });
		same((await lodgeGet(`/nodes/${env.node}/storage/local/content`)).filter((v) => v.vmid === 101 && v.content === 'images'), []);
	});
}

export async function testMachineEnd(page) {
	await ok('reset asks first', async () => {
		await goTo(page, '/guest/qemu/101');
		await page.locator('[data-action=reset]:enabled').click();
		await page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click();
		await page.getByRole('dialog').waitFor({ state: 'detached' });
		await page.locator('[data-action=stop]:enabled').waitFor();
	});
	await ok('the machine is stopped', async () => {
		await page.locator('[data-action=stop]:enabled').click();
		await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
		await headState(page, 'stopped').waitFor();
		await page.locator('[data-action=start]:enabled').waitFor();
	});
	await disks(page);
	await ok('the machine is destroyed', async () => {
		await page.locator('[data-action=destroy]:enabled').click();
		await page.getByRole('dialog').getByLabel('Type 101').fill('101');
		await page.keyboard.press('Enter');
		await page.waitForURL(/#\/$/);
		await page.locator('tr[data-key="qemu/101"]').waitFor({ state: 'detached' });
	});
}
