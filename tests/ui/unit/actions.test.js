// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';
import './no_page.js';
import { ACTIONS } from '../../../webui-static/app/actions.js';

const offered = (entry) => ACTIONS.filter((a) => a.is({ type: 'lxc', template: 0, ...entry })).map((a) => a.name);

test('what is offered fits the state', () => {
	assert.deepEqual(offered({ status: 'stopped' }), ['start', 'clone', 'template', 'destroy']);
	assert.deepEqual(offered({ status: 'running' }), ['shutdown', 'reboot', 'stop', 'shutdownWithin', 'suspend', 'clone']);
	assert.deepEqual(offered({ status: 'paused' }), ['resume', 'shutdown', 'reboot', 'stop', 'shutdownWithin', 'clone']);
	assert.deepEqual(offered({ status: 'stopped', template: 1 }), ['clone', 'destroy']);
	assert.ok(offered({ status: 'running', type: 'qemu' }).includes('reset'));
	assert.ok(!offered({ status: 'running', type: 'qemu' }).includes('suspend'));
});

test('what cannot be taken back asks first', () => {
	for (const name of ['stop', 'reset', 'template', 'destroy'])
		assert.ok(ACTIONS.find((a) => a.name === name).confirm, name);
});
