// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';
import './no_page.js';
import { treeOf } from '../../../webui-static/app/components/navigation.js';
import { arrange } from '../../../webui-static/app/components/table.js';
import { kvmHint, machineDefaults, machineParams } from '../../../webui-static/app/views/create_vm.js';

const rows = [{ id: 'b', n: 10, name: 'web2' }, { id: 'a', n: 2, name: 'web10' }, { id: 'c', n: 2, name: 'Data' }];
const columns = [{ key: 'n', sort: (r) => r.n }, { key: 'name', sort: (r) => r.name }, { key: 'plain' }];
const order = (view) => arrange(rows, { words: '', key: '', down: false, ...view }, columns, (r) => r.id, (r) => r.name).map((r) => r.id).join('');

test('sorting: numbers as numbers, equal ones by key, names as people count', () => {
	assert.equal(order({ key: 'n' }), 'acb');
	assert.equal(order({ key: 'n', down: true }), 'bac');
	assert.equal(order({ key: 'name' }), 'cba');
	assert.equal(order({ key: 'plain' }), 'bac');
});

test('filter: every word, in any case', () => {
	assert.equal(order({ key: 'n', words: 'WEB' }), 'ab');
	assert.equal(order({ key: 'n', words: ' web 10 ' }), 'a');
	assert.equal(order({ words: 'x' }), '');
});

test('the tree', () => {
	const tree = treeOf({
		a: { id: 'lxc/101', type: 'lxc', vmid: 101, node: 'n1', name: 'a' }, b: { id: 'qemu/100', type: 'qemu', vmid: 100, node: 'n1', name: 'b' },
		c: { id: 'node/n2', type: 'node', node: 'n2' }, d: { id: 'node/n1', type: 'node', node: 'n1' },
		e: { id: 'storage/n1/local', type: 'storage', storage: 'local', node: 'n1' },
	});
	assert.deepEqual(tree.map((t) => [t.node.node, t.guests.map((g) => g.vmid), t.storages.map((s) => s.storage)]),
		[['n1', [100, 101], ['local']], ['n2', [], []]]);
});

test('what is said of KVM, and chosen', () => {
	const choices = (kvm) => ({ vmid: '100', disks: [], bridges: [], kvm });
	for (const [kvm, isOn, text] of [[null, true, /^Not tested/], [{}, true, /^Not tested/], [{ usable: 1, reason: '', outdated: 0 }, true, /^It works on this node\.$/],
		[{ usable: 0, reason: 'it hangs', outdated: 1 }, false, /does not work on this node: it hangs\. That was with another kernel\.$/]]) {
		assert.equal(machineDefaults(choices(kvm)).kvm, isOn);
		assert.match(kvmHint(kvm), text);
	}
});

test('parameters of a virtual machine', () => {
	const v = { vmid: '200', name: 'x', memory: '256', cores: '1', storage: 'local', size: '1', iso: '', bridge: '', kvm: true, serial: false, start: false };
	assert.deepEqual(JSON.parse(JSON.stringify(machineParams(v))), { vmid: '200', name: 'x', memory: '256', cores: '1', ostype: 'l26',
		scsihw: 'virtio-scsi-pci', scsi0: 'local:1', boot: 'order=scsi0', start: false });
	const all = machineParams({ ...v, iso: 'local:iso/a.iso', bridge: 'vmbr0', kvm: false, serial: true });
	assert.equal(all.boot, 'order=scsi0;ide2;net0');
	assert.equal(all.ide2, 'local:iso/a.iso,media=cdrom');
	assert.equal(all.kvm, 0);
	assert.equal(all.serial0, 'socket');
});
