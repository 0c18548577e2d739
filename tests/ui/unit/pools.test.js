// SPDX-License-Identifier: GPL-2.0-or-later
// Pools and what is done with all guests of a node: the calls, and who is named before.
import assert from 'node:assert/strict';
import test from 'node:test';
import './no_page.js';
import { reduce, initial } from '../../../webui-static/app/store.js';
import { parse, href } from '../../../webui-static/app/router.js';
import { containerDefaults, containerParams } from '../../../webui-static/app/views/create_ct.js';
import { machineDefaults, machineParams } from '../../../webui-static/app/views/create_vm.js';
import { cloneParams } from '../../../webui-static/app/views/guest_dialogs.js';
import { guestsOf, inWords } from '../../../webui-static/app/views/node_actions.js';
import { candidates, memberParams } from '../../../webui-static/app/views/pool_dialogs.js';

const plain = (value) => JSON.parse(JSON.stringify(value));
const entries = [
	{ id: 'lxc/101', type: 'lxc', vmid: 101, name: 'db', node: 'pine', status: 'running', pool: 'a' },
	{ id: 'lxc/100', type: 'lxc', vmid: 100, name: 'web', node: 'pine', status: 'stopped' },
	{ id: 'qemu/200', type: 'qemu', vmid: 200, name: 'gold', node: 'pine', status: 'stopped', template: 1, pool: 'b' },
	{ id: 'qemu/201', type: 'qemu', vmid: 201, name: 'far', node: 'oak', status: 'paused' },
	{ id: 'node/pine', type: 'node', node: 'pine' },
	{ id: 'storage/pine/local', type: 'storage', storage: 'local', node: 'pine' },
	{ id: 'storage/oak/local', type: 'storage', storage: 'local', node: 'oak' },
	{ id: 'storage/pine/fast', type: 'storage', storage: 'fast', node: 'pine' },
	{ id: '/pool/a', type: 'pool', pool: 'a' },
];
const { resources } = reduce(initial, { type: 'resources', items: entries, at: 1 });

test('what may be put into a pool: all that is not in it, a storage of several nodes once', () => {
	const list = candidates(resources, 'a', [{ type: 'lxc', vmid: 101 }, { type: 'storage', storage: 'fast' }]);
	assert.deepEqual(list.map((c) => [c.label, c.from]), [['CT 100 web', undefined], ['VM 200 gold', 'b'], ['VM 201 far', undefined], ['Storage local', undefined]]);
	const all = Object.fromEntries(list.map((c) => [`member ${c.key}`, true]));
	assert.deepEqual(plain(memberParams('a', list, all)), { poolid: 'a', vms: '100,200,201', storage: 'local', 'allow-move': true });
	assert.deepEqual(plain(memberParams('a', list, { 'member 100': true })), { poolid: 'a', vms: '100' }, 'nothing is moved that was not chosen');
});

test('a pool is chosen for new guests and for clones, or none is', () => {
	const v = { ...containerDefaults({ vmid: '100', disks: [], files: [], bridges: [] }) };
	assert.ok(!('pool' in plain(containerParams(v))));
	assert.equal(containerParams({ ...v, pool: 'a' }).pool, 'a');
	assert.deepEqual([null, [], ['vmbr3']].map((bridges) => machineDefaults({ vmid: '100', disks: [], bridges }).bridge), ['vmbr0', '', 'vmbr3'],
		'a bridge that one may use, or none');
	assert.deepEqual([null, [], ['vmbr3']].map((bridges) => containerDefaults({ vmid: '100', disks: [], files: [], bridges }).bridge), ['vmbr0', '', 'vmbr3']);
	const m = machineDefaults({ vmid: '100', disks: [], bridges: [] });
	assert.ok(!('pool' in plain(machineParams(m))));
	assert.equal(machineParams({ ...m, pool: 'a' }).pool, 'a');
	assert.equal(cloneParams({ type: 'lxc' }, { newid: '1', pool: 'a' }).pool, 'a');
	assert.equal(cloneParams({ type: 'lxc' }, { newid: '1', pool: '' }).pool, undefined);
});

test('a pool’s address, also with a slash in its name', () => {
	assert.deepEqual(parse(href('pool', 'team/web')), { view: 'pool', params: { pool: 'team/web' } });
});

test('who runs on a node, and who could be started: not a template, nor those of other nodes', () => {
	assert.deepEqual(guestsOf(resources, 'pine', true).map((g) => g.vmid), [101]);
	assert.deepEqual(guestsOf(resources, 'pine', false).map((g) => g.vmid), [100]);
	assert.deepEqual(guestsOf(resources, 'oak', true).map((g) => g.vmid), [201], 'paused ones are up');
	const many = Array.from({ length: 20 }, (_, n) => ({ type: 'lxc', vmid: 100 + n, name: `g${n}` }));
	assert.equal(inWords(many.slice(0, 2)), '100 g0, 101 g1');
	assert.match(inWords(many), /111 g11 and 8 more$/);
});
