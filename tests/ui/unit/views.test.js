// SPDX-License-Identifier: GPL-2.0-or-later
// Pure parts of views: the tree of snapshots, storages, the network of a node.
import assert from 'node:assert/strict';
import test from 'node:test';
import './no_page.js';
import { snapshotTree } from '../../../webui-static/app/views/guest_snapshots.js';
import { freeBridge, interfaceParams, interfaceValues } from '../../../webui-static/app/views/network_dialogs.js';
import { pruneParams } from '../../../webui-static/app/views/prune_dialog.js';
import { definitionParams, definitionValues } from '../../../webui-static/app/views/storage_definition.js';
import { downloadParams } from '../../../webui-static/app/views/storage_dialogs.js';
import { guessKind } from '../../../webui-static/app/views/storage_kinds.js';

const plain = (value) => JSON.parse(JSON.stringify(value));

test('snapshots stand below what they were made from, now comes last', () => {
	const list = [{ name: 'current', parent: 'b' }, { name: 'c', parent: 'a', snaptime: 3 }, { name: 'b', parent: 'a', snaptime: 2 }, { name: 'a', snaptime: 1 },
		{ name: 'orphan', parent: 'gone', snaptime: 9 }];
	assert.deepEqual(snapshotTree(list).map((s) => `${s.depth}${s.name}`), ['0a', '1b', '2current', '1c', '0orphan']);
	assert.deepEqual(snapshotTree([{ name: 'current' }]).map((s) => s.name), ['current']);
	assert.deepEqual(snapshotTree([{ name: 'x', parent: 'x' }]), [], 'a ring ends');
});

test('a storage’s definition: new, changed, keys taken away', () => {
	const v = definitionValues();
	assert.deepEqual(plain(definitionParams({ ...v, storage: 'fast', path: '/srv/fast' })), { storage: 'fast', type: 'dir', path: '/srv/fast', content: 'images,rootdir,iso,vztmpl' });
	const old = { storage: 'fast', type: 'btrfs', path: '/srv/fast', content: 'images', nodes: 'n1', disable: 1, digest: 'd' };
	assert.deepEqual(plain(definitionParams({ ...definitionValues(old), nodes: '', enabled: true }, old)), { content: 'images', disable: false, delete: 'nodes', digest: 'd' });
	assert.equal(definitionParams({ ...v, 'content-images': false, 'content-rootdir': false, 'content-iso': false, 'content-vztmpl': false }).content, 'none');
});

test('files: what they are by their names, and how they are fetched', () => {
	const kinds = ['iso', 'vztmpl', 'snippets'];
	assert.deepEqual(['a.ISO', 'b.tar.zst', 'c.sh', 'd.qcow2'].map((n) => guessKind(n, kinds)), ['iso', 'vztmpl', 'snippets', undefined]);
	const v = { url: ' https://x/a.iso ', content: 'iso', filename: 'a.iso', algorithm: '', checksum: 'zz', compression: '', verify: true };
	assert.deepEqual(plain(downloadParams(v)), { url: 'https://x/a.iso', content: 'iso', filename: 'a.iso' });
	assert.deepEqual(plain(downloadParams({ ...v, algorithm: 'sha256', verify: false })), { url: 'https://x/a.iso', content: 'iso', filename: 'a.iso', checksum: 'zz',
		'checksum-algorithm': 'sha256', 'verify-certificates': 0 });
});

test('interfaces: all settings are sent, those without a value are gone', () => {
	const v = { iface: 'vmbr1', type: 'bridge', cidr: '10.0.0.1/24', gateway: '', cidr6: '', gateway6: '', bridge_ports: '', mtu: '', comments: '', autostart: true };
	assert.deepEqual(interfaceParams(v, true), { iface: 'vmbr1', type: 'bridge', cidr: '10.0.0.1/24', autostart: true });
	assert.deepEqual(interfaceParams(v, false), { type: 'bridge', cidr: '10.0.0.1/24', autostart: true });
	const read = { iface: 'vmbr1', type: 'bridge', cidr: '10.0.0.1/24', address: '10.0.0.1', netmask: '24', mtu: 1400, bridge_ports: '', comments: 'four\n', comments6: 'six\n', autostart: 1,
		active: 1, exists: 1, managed: 'lodge', method: 'static', families: ['inet'], priority: 3 };
	assert.deepEqual(interfaceParams({ ...interfaceValues(read), mtu: '' }, false), { type: 'bridge', cidr: '10.0.0.1/24', comments: 'four\n', comments6: 'six\n', autostart: true },
		'what has no field stays, what the node says of its state is not sent');
	assert.equal(freeBridge([{ iface: 'vmbr0' }, { iface: 'vmbr2' }]), 'vmbr1');
});

test('a rule for old backups: without one nothing goes', () => {
	assert.deepEqual(plain(pruneParams({ last: '3', daily: '7', vmid: '' })), { 'prune-backups': 'keep-last=3,keep-daily=7' });
	assert.deepEqual(plain(pruneParams({ last: '', vmid: '101' })), { 'prune-backups': 'keep-all=1', vmid: '101' });
});
