// SPDX-License-Identifier: GPL-2.0-or-later
// Storages: defined, files that come in by upload and download, deleted, described. After this there is a storage "btr" on btrfs, "plain"
// in a folder, and a template on "local".
import { mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { createHash } from 'node:crypto';
import { allow, button, closed, dialogOf, env, goTo, holds, lodgeGet, ok, onNode, quieten, same, shot, submit } from './browser.mjs';

const files = mkdtempSync(join(tmpdir(), 'lodge-ui-'));
const content = (storage) => lodgeGet(`/nodes/${env.node}/storage/${storage}/content`);
const storage = (page, name) => goTo(page, `/storage/${env.node}/${name}`);

async function define(page) {
	await ok('what the node says of a new storage stands at the field, while it is typed', async () => {
		await goTo(page, `/node/${env.node}`);
		await button(page, 'Add storage').click();
		await dialogOf(page).getByLabel('Name', { exact: true }).fill('not a name');
		await dialogOf(page).locator('.field[data-name=storage] .error').waitFor();
		await dialogOf(page).getByLabel('Name', { exact: true }).fill('btr');
		await dialogOf(page).locator('.field[data-name=storage] .error').waitFor({ state: 'detached' });
	});
	await ok('a path that is none is refused by the call itself', async () => {
		allow(/status of 400.*\/storage$/);
		await dialogOf(page).getByLabel('Folder').fill('/');
		await submit(page, 'Add');
		await dialogOf(page).locator('.field[data-name=path] .error').waitFor();
	});
	await ok('a storage on btrfs is defined', async () => {
		await dialogOf(page).getByLabel('Type').selectOption('btrfs');
		await dialogOf(page).getByLabel('Folder').fill('/srv/btr');
		await dialogOf(page).getByLabel('ISO image').uncheck();
		await submit(page, 'Add');
		await closed(page);
		const made = await lodgeGet('/storage/btr');
		same([made.type, made.path, made.content], ['btrfs', '/srv/btr', 'images,rootdir,vztmpl']);
		await page.locator('.nav', { hasText: 'btr' }).waitFor();
	});
	await ok('one in a folder as well, changed and with a change of others told', async () => {
		await button(page, 'Add storage').click();
		await dialogOf(page).getByLabel('Name', { exact: true }).fill('plain');
		await dialogOf(page).getByLabel('Folder').fill('/srv/plain');
		await submit(page, 'Add');
		await closed(page);
		await storage(page, 'plain');
		await button(page, 'Edit').click();
		await dialogOf(page).getByLabel('Backup').check();
		await onNode('lodge', 'put', '/storage/plain', '--content', 'rootdir,iso');
		allow(/status of 500.*\/storage\/plain/);
		await submit(page, 'Save');
		await dialogOf(page).locator('input[name=content-images]:not(:checked)').waitFor();
		await dialogOf(page).locator('.stored', { hasText: 'Changed by somebody else' }).first().waitFor();
		holds(await dialogOf(page).getByLabel('Backup').isChecked(), 'what was typed is lost');
		await shot(page, 'storage-conflict');
		await submit(page, 'Save');
		await closed(page);
		same((await lodgeGet('/storage/plain')).content, 'rootdir,iso,backup');
	});
}

async function upload(page) {
	const template = join(process.env.LODGE_FILES, 'busybox.tar.gz');
	await ok('a template is uploaded, its checksum looked at', async () => {
		await storage(page, 'local');
		await button(page, 'Upload').click();
		await dialogOf(page).getByLabel('File').setInputFiles(template);
		same(await dialogOf(page).getByLabel('It is a').inputValue(), 'vztmpl');
		await dialogOf(page).getByLabel('Checksum').selectOption('sha256');
		await dialogOf(page).getByLabel('It must be').fill('0'.repeat(64));
		await submit(page, 'Upload');
		await dialogOf(page).locator('.task-state', { hasText: /checksum/ }).waitFor();
		await button(dialogOf(page), 'Close').last().click();
		await quieten(page);
		same(await content('local'), []);
		await button(page, 'Upload').click();
		await dialogOf(page).getByLabel('File').setInputFiles(template);
		await dialogOf(page).getByLabel('Checksum').selectOption('sha256');
		await dialogOf(page).getByLabel('It must be').fill(createHash('sha256').update(readFileSync(template)).digest('hex'));
		await shot(page, 'upload');
		await submit(page, 'Upload');
		await closed(page);
		await page.locator('tr[data-key="local:vztmpl/busybox.tar.gz"]').waitFor();
	});
	await ok('several files at once: each with its result, one that fails keeps none back', async () => {
		allow(/status of 400.*\/upload/);
		const three = ['one.iso', 'bad.txt', 'two.iso'].map((name) => join(files, name));
		for (const file of three)
			writeFileSync(file, `${file}\n`.repeat(9000));
		await button(page, 'Upload').click();
		await dialogOf(page).getByLabel('Files').setInputFiles(three);
		same(await dialogOf(page).getByLabel('Checksum').count(), 0);
		await submit(page, 'Upload');
		const line = (name) => dialogOf(page).locator('.sent li', { hasText: name });
		await line('one.iso').filter({ hasText: 'OK' }).waitFor();
		await line('two.iso').filter({ hasText: 'OK' }).waitFor();
		await line('bad.txt').locator('[data-tone=failed]').waitFor();
		await shot(page, 'upload-several');
		await button(dialogOf(page), 'Close').last().click();
		await closed(page);
		same((await content('local')).map((v) => v.volid).filter((v) => /:iso/.test(v)).sort(), ['local:iso/one.iso', 'local:iso/two.iso']);
		await onNode('sh', '-c', 'rm -f /var/lib/lodge/local/template/iso/one.iso /var/lib/lodge/local/template/iso/two.iso');
	});
	await ok('an upload that is cancelled leaves nothing', async () => {
		const big = join(files, 'big.iso');
		writeFileSync(big, '');
		truncateSync(big, 1 << 30);
		await button(page, 'Upload').click();
		await dialogOf(page).getByLabel('File').setInputFiles(big);
		await submit(page, 'Upload');
		await page.waitForFunction(() => document.querySelector('progress')?.value > 0);
		await dialogOf(page).locator('.progress', { hasText: /[KMG]iB\/s, .* left/ }).waitFor();
		await shot(page, 'uploading');
		await button(dialogOf(page), 'Cancel').click();
		await closed(page);
		holds(!(await content('local')).some((v) => v.volid.includes('big.iso')), 'it is there');
		await onNode('sh', '-c', 'i=0; while ls -A /var/lib/lodge/local/template/iso 2>/dev/null | grep -q import; do i=$((i+1)); [ $i -lt 100 ] || exit 1; sleep 0.1; done');
	});
}

async function download(page) {
	await ok('a file is fetched: name and size asked for, the log followed', async () => {
		await button(page, 'Download').click();
		await dialogOf(page).getByLabel('Address').fill('ftp://nowhere/');
		await dialogOf(page).locator('.field[data-name=url] .error').waitFor();
		await dialogOf(page).getByLabel('Address').fill(`${process.env.LODGE_URL}/small.iso`);
		await button(dialogOf(page), 'Ask for name and size').click();
		await dialogOf(page).getByText('2.86 MiB').waitFor();
		same(await dialogOf(page).getByLabel('Name there').inputValue(), 'small.iso');
		await shot(page, 'download');
		await submit(page, 'Download');
		await closed(page);
		await page.locator('tr[data-key="local:iso/small.iso"]').waitFor();
	});
	await ok('a task that runs goes on without its dialog, is found among the running ones, and is stopped there', async () => {
		await button(page, 'Download').click();
		await dialogOf(page).getByLabel('Address').fill(`${process.env.LODGE_URL}/slow.iso`);
		await dialogOf(page).getByLabel('Name there').fill('slow.iso');
		await submit(page, 'Download');
		await dialogOf(page).getByText('It goes on when this is closed.').waitFor();
		await dialogOf(page).locator('.log', { hasText: 'slow.iso' }).waitFor();
		await button(dialogOf(page), 'Close').last().click();
		await closed(page);
		await goTo(page, '/tasks');
		await button(page, 'Running').click();
		const slow = page.locator('tbody tr', { hasText: 'Download' });
		await slow.locator('.state[data-tone=busy]').waitFor();
		same(await slow.count(), 1);
		await shot(page, 'tasks-running');
		await button(slow, /^Stop Download/).click();
		await slow.waitFor({ state: 'detached' });
		await button(page, 'Failed').click();
		await slow.first().locator('.state[data-tone=failed]').waitFor();
		await page.locator('.toast[data-tone=error]').first().waitFor();
		await quieten(page);
		await button(page, 'All').click();
		holds(!(await content('local')).some((v) => v.volid.includes('slow')), 'it is there');
		await storage(page, 'local');
	});
	await ok('only one kind is shown when that is chosen', async () => {
		await button(page, 'ISO image').click();
		await page.locator('tr[data-key="local:vztmpl/busybox.tar.gz"]').waitFor({ state: 'detached' });
		await button(page, 'All').click();
		await page.locator('tr[data-key="local:vztmpl/busybox.tar.gz"]').waitFor();
		await shot(page, 'storage');
	});
	await ok('deleting asks first', async () => {
		await button(page, 'Delete local:iso/small.iso').click();
		await submit(page, 'Delete');
		await page.locator('tr[data-key="local:iso/small.iso"]').waitFor({ state: 'detached' });
		same((await content('local')).map((v) => v.volid), ['local:vztmpl/busybox.tar.gz']);
	});
}

async function describe(page) {
	await ok('notes and protection of a backup', async () => {
		await onNode('sh', '-c', 'mkdir -p /srv/plain/dump && echo x >/srv/plain/dump/vzdump-lxc-555-2026_01_02-03_04_05.tar.zst');
		await storage(page, 'plain');
		await button(page, /Notes and protection of/).click();
		await dialogOf(page).getByLabel('Notes').fill('before <b>the</b> move\nand more');
		await submit(page, 'Save');
		await closed(page);
		await page.locator('td.name .hint', { hasText: 'before <b>the</b> move' }).waitFor();
	});
	await ok('what is not touched of it stays whole', async () => {
		await button(page, /Notes and protection of/).click();
		await dialogOf(page).getByLabel('It cannot be removed').check();
		same(await dialogOf(page).getByLabel('Notes').inputValue(), 'before <b>the</b> move\nand more');
		await submit(page, 'Save');
		await closed(page);
		await page.locator('td .lock', { hasText: 'protected' }).waitFor();
		same((await lodgeGet(`/nodes/${env.node}/storage/plain/content/plain:backup/vzdump-lxc-555-2026_01_02-03_04_05.tar.zst`)).notes, 'before <b>the</b> move\nand more');
	});
}

async function prune(page) {
	await ok('old backups: only where there can be some, the choice is seen before, protected ones stay', async () => {
		await storage(page, 'btr');
		await button(page, 'Edit').waitFor();
		same(await button(page, 'Prune').count(), 0);
		await onNode('sh', '-c', 'for d in 03 04 05; do echo x >/srv/plain/dump/vzdump-lxc-555-2026_01_$d-03_04_05.tar.zst; done');
		await storage(page, 'plain');
		await button(page, 'Prune').click();
		await dialogOf(page).getByLabel('Newest ones').fill('1');
		await dialogOf(page).getByText('2 of 4 backups would be removed.').waitFor();
		same(await dialogOf(page).locator('.prune li b').allTextContents(), ['kept', 'removed', 'removed', 'kept, protected']);
		await shot(page, 'prune');
		await submit(page, 'Remove');
		await closed(page);
		await page.locator('tr[data-key$="2026_01_04-03_04_05.tar.zst"]').waitFor({ state: 'detached' });
		same((await content('plain')).map((v) => /_(\d\d)-/.exec(v.volid)[1]).sort(), ['02', '05']);
	});
}

export async function testStorage(page) {
	await define(page);
	await upload(page);
	await download(page);
	await describe(page);
	await prune(page);
}
