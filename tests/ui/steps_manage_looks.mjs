// SPDX-License-Identifier: GPL-2.0-or-later
// Pictures of what is managed, on a desk and on a phone, light and dark: no view is wider than the window, none has a hole in its text.
import { comesBack, isAccessible } from './accessible.mjs';
import { button, dialogOf, env, fits, goTo, holds, login, newPage, ok, shot } from './browser.mjs';

const VIEWS = [
	['config', '/guest/lxc/100/config', 'tr[data-key=memory]'],
	['snapshots', '/guest/lxc/110/snapshots', 'tr[data-key=current]'],
	['storage', `/storage/${env.node}/local`, 'td.name .mono'],
	['network', `/node/${env.node}/network`, 'tr[data-key=vmbr0]'],
	['system', `/node/${env.node}/system`, 'textarea'],
	['node', `/node/${env.node}`, '.facts dt'],
];
const STEPS = ['General', 'Template', 'Resources', 'Network', 'Options', 'Summary'];
const DIALOGS = [
	['add-net', '/guest/lxc/100/config', 'Add network card'],
	['add-mount', '/guest/lxc/100/config', 'Add mount point'],
	['startup', '/guest/lxc/100/config', 'Change start and stop order'],
	['hookscript', '/guest/lxc/100/config', 'Change hook script'],
	['features', '/guest/lxc/100/config', 'Change features'],
	['grow', '/guest/lxc/100/config', 'Grow root disk'],
	['add-storage', `/node/${env.node}`, 'Add storage'],
	['add-pool', '/', 'Add pool'],
	['start-all', `/node/${env.node}`, 'Start all…'],
	['stop-all', `/node/${env.node}`, 'Stop all…'],
	['upload', `/storage/${env.node}/local`, 'Upload'],
	['make-template', `/storage/${env.node}/local`, 'Make template'],
	['add-bridge', `/node/${env.node}/network`, 'Add bridge'],
	['download', `/storage/${env.node}/local`, 'Download'],
];

async function pictures(width, height, scheme) {
	const page = await newPage({ width, height, scheme });
	const name = (view) => `manage-${view}-${width}-${scheme}`;
	const look = async (view) => {
		holds(await fits(page), `${view} is wider than ${width} px`);
		await isAccessible(page, view);
		await shot(page, name(view));
	};
	await login(page);
	for (const [view, hash, there] of VIEWS) {
		await goTo(page, hash);
		await page.locator(there).first().waitFor();
		await look(view);
	}
	for (const [view, hash, label] of DIALOGS) {
		await goTo(page, hash);
		await button(page, label).click();
		await dialogOf(page).waitFor();
		await look(view);
		await comesBack(page, button(page, label));
	}
	await goTo(page, '/');
	await button(page, 'Create container').first().click();
	await page.locator('.steps').waitFor();
	for (const step of STEPS) {
		await page.locator('.steps button', { hasText: step }).click();
		await look(`wizard-${step.toLowerCase()}`);
	}
	await page.context().close();
}

export async function testManagePictures() {
	for (const [width, height] of [[1280, 800], [768, 900], [360, 740]])
		for (const scheme of ['light', 'dark'])
			await ok(`all that is managed at ${width} px, ${scheme}`, () => pictures(width, height, scheme));
}
