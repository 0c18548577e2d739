// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';
import './no_page.js';
import { ACTIONS } from '../../../webui-static/app/actions.js';
import { has } from '../../../webui-static/app/components/rights.js';
import { needsOf } from '../../../webui-static/app/views/config_keys.js';

test('one of several words is enough, and a beginning stands for all of them', () => {
	const rights = { 'VM.Audit': 1, 'VM.Config.CPU': 0 };
	assert.ok(has(rights, 'VM.Audit'));
	assert.ok(has(rights, 'VM.Config.CPU'), 'one that goes no further counts here');
	assert.ok(!has(rights, 'VM.PowerMgmt'));
	assert.ok(has(rights, 'VM.PowerMgmt|VM.Audit'));
	assert.ok(has(rights, 'VM.Config.'));
	assert.ok(!has(rights, 'VM.Config'), 'a word is whole');
	assert.ok(!has({ 'VM.Console': 1 }, 'VM.Config.'));
	assert.ok(!has({}, 'VM.Audit'));
});

test('each action says what right it needs', () => {
	for (const action of ACTIONS)
		assert.match(action.needs, /^VM\.[A-Z]/, action.name);
});

test('each key of a guest says what right it needs, a drive by what is in it', () => {
	assert.deepEqual(needsOf('memory', 512), ['VM.Config.Memory']);
	assert.deepEqual(needsOf('cpulimit'), ['VM.Config.CPU']);
	assert.deepEqual(needsOf('net3', 'name=eth3'), ['VM.Config.Network']);
	assert.deepEqual(needsOf('hostname'), ['VM.Config.Network']);
	assert.deepEqual(needsOf('tags', 'a'), ['VM.Config.Options']);
	assert.deepEqual(needsOf('dev0', '/dev/fuse'), ['VM.Config.Options']);
	assert.deepEqual(needsOf('mp0', 'local:8,mp=/a'), ['VM.Config.Disk']);
	assert.deepEqual(needsOf('ide2', 'none,media=cdrom', undefined), ['VM.Config.CDROM']);
	assert.deepEqual(needsOf('ide2', 'local:iso/a.iso,media=cdrom,size=1G', 'none,media=cdrom'), ['VM.Config.CDROM']);
	assert.deepEqual(needsOf('ide2', 'local:100/vm-100-disk-0.raw'), ['VM.Config.Disk']);
	assert.deepEqual(needsOf('ide2', 'none,media=cdrom', 'local:100/vm-100-disk-0.raw'), ['VM.Config.CDROM', 'VM.Config.Disk']);
	assert.deepEqual(needsOf('scsi0'), ['VM.Config.Disk']);
});
