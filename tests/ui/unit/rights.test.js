// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';
import './no_page.js';
import { ACTIONS } from '../../../webui-static/app/actions.js';
import { has } from '../../../webui-static/app/components/rights.js';

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
