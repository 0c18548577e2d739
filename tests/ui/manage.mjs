// SPDX-License-Identifier: GPL-2.0-or-later
// What is managed on the page in Chromium against a real node; called by 20-manage.sh, which brings that up.
import { closeBrowser, finish, login, newPage, ok, same, seen } from './browser.mjs';
import { testConfig } from './steps_config.mjs';
import { testCreate } from './steps_create.mjs';
import { testManageKeyboard } from './steps_keyboard.mjs';
import { testManagePictures } from './steps_manage_looks.mjs';
import { testNetwork } from './steps_network.mjs';
import { testPools } from './steps_pools.mjs';
import { testSnapshots } from './steps_snapshots.mjs';
import { testRights } from './steps_rights.mjs';
import { testStorage } from './steps_storage.mjs';

const PARTS = {
	storage: testStorage, create: testCreate, config: testConfig, snapshots: testSnapshots, pools: testPools, rights: testRights, network: testNetwork, keyboard: testManageKeyboard,
	pictures: testManagePictures,
};
const chosen = process.argv.slice(2); // parts alone, to work on them; the first ones make what later ones need

const page = await newPage();
await ok('log in', () => login(page));
for (const [name, part] of Object.entries(PARTS))
	if (!chosen.length || chosen.includes(name))
		await part(page);
await ok('the Content-Security-Policy was never violated', () => same(seen.violations, []));
await ok('the console of the browser shows no error', () => same(seen.errors, []));
await ok('nothing was asked of another host', () => same(seen.foreign, []));
await closeBrowser();
finish();
