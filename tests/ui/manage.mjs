// SPDX-License-Identifier: GPL-2.0-or-later
// What is managed on the page in Chromium against a real node; called by 20-manage.sh, which brings that up.
import { closeBrowser, finish, login, newPage, ok, same, seen } from './browser.mjs';
import { testConfig } from './steps_config.mjs';
import { testCreate } from './steps_create.mjs';
import { testManagePictures } from './steps_manage_looks.mjs';
import { testNetwork } from './steps_network.mjs';
import { testSnapshots } from './steps_snapshots.mjs';
import { testStorage } from './steps_storage.mjs';

const PARTS = { storage: testStorage, create: testCreate, config: testConfig, snapshots: testSnapshots, network: testNetwork };

const page = await newPage();
await ok('log in', () => login(page));
for (const part of Object.values(PARTS))
	await part(page);
await testManagePictures();
await ok('the Content-Security-Policy was never violated', () => same(seen.violations, []));
await ok('the console of the browser shows no error', () => same(seen.errors, []));
await ok('nothing was asked of another host', () => same(seen.foreign, []));
await closeBrowser();
finish();
