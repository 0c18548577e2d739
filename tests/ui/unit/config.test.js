// SPDX-License-Identifier: GPL-2.0-or-later
// What forms make of a guest's configuration, and of errors.
import assert from 'node:assert/strict';
import test from 'node:test';
import './no_page.js';
import { isConflict, splitErrors } from '../../../webui-static/app/components/form.js';
import { format, isOn, parse } from '../../../webui-static/app/propstring.js';
import { defaultOf, freeKey, keyOf, labelOf, rowsOf, shownOf, storedOf, wordsOf } from '../../../webui-static/app/views/config_keys.js';
import { mountParts, moveParams } from '../../../webui-static/app/views/config_volumes.js';
import { containerDefaults, containerParams } from '../../../webui-static/app/views/create_ct.js';
import { netDefaults, netParts, netValues, presetOf, presetValues } from '../../../webui-static/app/views/ct_net.js';
import { cloneParams } from '../../../webui-static/app/views/guest_dialogs.js';

const plain = (value) => JSON.parse(JSON.stringify(value));

test('property strings: read, and written with the first name left out', () => {
	assert.deepEqual(parse('local:100/vm-100-disk-0.raw,size=8G,ro=1', 'volume'), { volume: 'local:100/vm-100-disk-0.raw', size: '8G', ro: '1' });
	assert.deepEqual(parse(undefined), {});
	assert.deepEqual(parse('name=a=b'), { name: 'a=b' });
	assert.equal(format('mp0', { ro: true, mp: '/data', volume: 'local:8', backup: false, acl: '' }, 'volume'), 'local:8,ro=1,mp=/data');
	assert.equal(format('dev0', { path: '/dev/a=b' }, 'path'), 'path=/dev/a=b');
	assert.throws(() => format('mp0', { mp: '/a,ro=1' }), (error) => error.fields.mp0.startsWith('mp: ') && error.status === 400);
	assert.deepEqual(['1', 'yes', '0', undefined].map(isOn), [true, true, false, false]);
});

test('errors find their fields: by name, by the part of a property string, or none', () => {
	const has = (...names) => (name) => names.includes(name);
	const error = { message: 'Parameter verification failed.', fields: { net0: 'invalid format - ip: value is no address', memory: 'too small', pool: 'unknown' } };
	assert.deepEqual(splitErrors(error, has('net0.ip', 'net0', 'memory')), { shown: { 'net0.ip': 'value is no address', memory: 'too small' }, rest: 'pool: unknown' });
	assert.deepEqual(splitErrors(error, has('net0', 'pool', 'memory')).shown.net0, 'invalid format - ip: value is no address');
	assert.deepEqual(splitErrors({ message: 'it is locked' }, has()), { shown: {}, rest: 'it is locked' });
	assert.ok(isConflict({ message: 'detected modified configuration - file changed by other user? Try again.' }));
	assert.ok(!isConflict({ message: 'it is locked' }));
});

test('parameters of a container', () => {
	const v = containerDefaults({ vmid: '100', disks: [{ storage: 'local' }], files: [{ volid: 'local:vztmpl/a.tar.gz' }], bridges: ['vmbr0'] });
	assert.deepEqual(plain(containerParams(v)), { vmid: '100', ostemplate: 'local:vztmpl/a.tar.gz', memory: '512', swap: '512', cores: '1', rootfs: 'local:4',
		net0: 'name=eth0,bridge=vmbr0,ip=dhcp', start: true });
	const all = containerParams({ ...v, bridge: 'vmbr1', mode: 'static', address: '10.0.0.2/24', gateway: '10.0.0.1', mode6: 'auto', tag: '7', hwaddr: 'BC:24:11:00:00:01',
		unprivileged: false, nesting: true, keyctl: true, keys: ' \n', onboot: true });
	assert.equal(all.net0, 'name=eth0,bridge=vmbr1,hwaddr=BC:24:11:00:00:01,ip=10.0.0.2/24,gw=10.0.0.1,ip6=auto,tag=7');
	assert.deepEqual([all.unprivileged, all.features, all['ssh-public-keys'], all.onboot], [0, 'nesting=1', undefined, true]);
	assert.equal(containerParams({ ...v, bridge: '' }).net0, undefined);
	assert.match(containerParams({ ...v, mode: 'static' }).net0, /ip=-/, 'an address that is missing is refused, not left out');
});

test('a network card: what is not shown stays, a changed way of addressing takes its gateway along', () => {
	const stored = 'name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=10.0.0.2/24,gw=10.0.0.1,firewall=1,type=veth';
	const values = netValues(parse(stored));
	assert.deepEqual([values.mode, values.address, values.gateway, values.mode6], ['static', '10.0.0.2/24', '10.0.0.1', '']);
	assert.deepEqual(parse(format('net0', netParts(values, parse(stored)))), parse(stored));
	assert.deepEqual(parse(format('net0', netParts({ ...values, mode: 'dhcp' }, parse(stored)))), { name: 'eth0', bridge: 'vmbr0', hwaddr: 'BC:24:11:00:00:01', ip: 'dhcp', firewall: '1', type: 'veth' });
	const more = parse('name=eth0,bridge=vmbr0,trunks=10;20,host-managed=1,ip=dhcp');
	assert.deepEqual(parse(format('net0', netParts(netValues(more), more))), more);
	assert.deepEqual(parse(format('net0', netParts({ ...netValues(more), trunks: '', managed: false }, more))), { name: 'eth0', bridge: 'vmbr0', ip: 'dhcp' });
	assert.equal(netValues({ ip: 'manual' }).mode, '');
	assert.deepEqual(Object.keys(netDefaults).sort(), Object.keys(netValues({})).sort());
});

test('keys: names, groups and order', () => {
	const items = [{ key: 'mp10', value: 'x' }, { key: 'mp2', value: 'x' }, { key: 'digest', value: 'd' }, { key: 'net0', value: 'x' }, { key: 'rootfs', value: 'x' }, { key: 'lxc', value: 'x' }];
	assert.deepEqual(rowsOf(items, 'lxc', 'resources').map((r) => r.key), ['memory', 'swap', 'cores', 'cpulimit', 'cpuunits', 'rootfs', 'mp2', 'mp10']);
	assert.deepEqual(rowsOf(items, 'lxc', 'network').map((r) => r.key), ['net0', 'nameserver', 'searchdomain']);
	assert.equal(rowsOf(items, 'lxc', 'options').at(-1).key, 'lxc', 'what is unknown is shown, at the end');
	assert.ok(!rowsOf(items, 'qemu', 'options').some((r) => r.key === 'hostname'));
	assert.deepEqual(['mp3', 'memory', 'tags', 'strange'].map(labelOf), ['Mount point 3', 'Memory', 'Tags', 'strange']);
	assert.equal(freeKey('mp', items), 'mp0');
	assert.equal(freeKey('net', items), 'net1');
});

test('values as fields show them, and back', () => {
	const round = (key, stored) => storedOf(keyOf(key), shownOf(keyOf(key), stored));
	assert.equal(shownOf(keyOf('env'), 'A=1\\0B=2'), 'A=1\nB=2');
	assert.equal(round('env', 'A=1\\0B=2'), 'A=1\\0B=2');
	assert.equal(round('memory', 512), '512');
	assert.equal(round('memory', undefined), undefined);
	assert.deepEqual([shownOf(keyOf('console'), undefined), shownOf(keyOf('onboot'), undefined), round('onboot', 1)], [true, false, '1']);
});

test('mount points: new, of a folder, and one that is there', () => {
	const v = { storage: 'fast', size: '8', folder: '', mp: '/data', ro: false, backup: true, mountoptions: '', acl: '' };
	assert.equal(format('mp0', mountParts(v), 'volume'), 'fast:8,mp=/data,backup=1');
	assert.equal(format('mp0', mountParts({ ...v, storage: '/', folder: '/srv/a', ro: true }), 'volume'), '/srv/a,mp=/data,ro=1,backup=1');
	const stored = parse('fast:100/vm-100-disk-1.raw,mp=/old,size=8G,quota=1', 'volume');
	assert.equal(format('mp0', mountParts(v, stored.volume, stored), 'volume'), 'fast:100/vm-100-disk-1.raw,mp=/data,size=8G,quota=1,backup=1');
	assert.equal(format('mp0', mountParts({ ...v, quota: '', replicate: '0', shared: '1' }, stored.volume, stored), 'volume'), 'fast:100/vm-100-disk-1.raw,mp=/data,size=8G,backup=1,replicate=0,shared=1');
});

test('volumes that move, guests that are copied', () => {
	const v = { to: 'storage', storage: 'fast', vmid: 101, key: '', remove: true };
	assert.deepEqual(plain(moveParams('lxc', 'mp0', v, 'd')), { volume: 'mp0', storage: 'fast', delete: 1, digest: 'd' });
	assert.deepEqual(plain(moveParams('qemu', 'scsi1', { ...v, to: 'guest', key: 'scsi0' }, 'd')), { disk: 'scsi1', 'target-vmid': 101, 'target-disk': 'scsi0', digest: 'd' });
	const c = { newid: '200', name: 'copy', snapname: '', full: true, storage: 'fast', description: '' };
	assert.deepEqual(plain(cloneParams({ type: 'lxc' }, c)), { newid: '200', hostname: 'copy', snapname: '', full: 1, storage: 'fast', description: '' });
	assert.equal(cloneParams({ type: 'qemu', template: 1 }, { ...c, full: false }).full, 0);
	assert.equal(cloneParams({ type: 'qemu' }, c).name, 'copy');
});

test('values as rows show them', () => {
	assert.deepEqual([wordsOf('memory', 512), wordsOf('onboot', 1), wordsOf('protection', '0'), wordsOf('cmode', 'shell'), wordsOf('timezone', 'Mars/Base'), wordsOf('net0', 'name=eth0')],
		['512 MiB', 'yes', 'no', 'a shell of root, without log-in', 'Mars/Base', 'name=eth0']);
	assert.deepEqual([defaultOf('cores', 'lxc'), defaultOf('cores', 'qemu'), defaultOf('swap', 'lxc'), defaultOf('tags', 'lxc'), defaultOf('constructor', 'lxc')],
		['default: all of the node', 'default: 1', 'default: 512 MiB', 'default', 'default']);
	assert.equal(wordsOf('env', 'A=1\\0B=2'), 'A=1\nB=2');
});

test('network presets: what they set, and which one it is', () => {
	const networks = [{ iface: 'vmbr0', cidr: '10.1.0.1/24' }, { iface: 'vmbr1', cidr: '192.0.2.7/24', gateway: '192.0.2.1' }];
	assert.equal(presetOf(netDefaults), 'DHCP');
	const fixed = { ...netDefaults, ...presetValues('Fixed address', netDefaults, networks) };
	assert.deepEqual([fixed.mode, fixed.gateway, presetOf(fixed)], ['static', '10.1.0.1', 'Fixed address']);
	assert.equal(presetValues('Fixed address', { ...netDefaults, bridge: 'vmbr1' }, networks).gateway, '192.0.2.1');
	assert.equal(presetValues('Fixed address', { ...netDefaults, gateway: '10.1.0.9' }, networks).gateway, '10.1.0.9', 'what was typed stays');
	const none = { ...netDefaults, ...presetValues('No network', netDefaults, networks) };
	assert.deepEqual([none.bridge, presetOf(none), presetValues('DHCP', none, networks).bridge], ['', 'No network', 'vmbr0']);
	assert.equal(presetOf({ ...netDefaults, mode6: 'dhcp' }), undefined);
});
