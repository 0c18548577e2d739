// SPDX-License-Identifier: GPL-2.0-or-later
// A form's values after somebody else stored others.
import assert from 'node:assert/strict';
import test from 'node:test';
import { inWords, merge, sayMerged } from '../../../webui-static/app/merge.js';

test('what was typed stays, what was not touched becomes what is stored', () => {
	const base = { name: 'eth0', rate: '', mtu: '1500', tag: '5', down: false };
	const mine = { name: 'eth0', rate: '7', mtu: '9000', tag: '5', down: true };
	const theirs = { name: 'eth1', rate: '5', mtu: 9000, tag: '5', down: false };
	const { values, changed } = merge(base, mine, theirs);
	assert.deepEqual(values, { name: 'eth1', rate: '7', mtu: '9000', tag: '5', down: true });
	assert.deepEqual(changed, { name: { theirs: 'eth1', isMine: false }, rate: { theirs: '5', isMine: true } }, 'the same change twice is none');
	assert.deepEqual(merge(base, base, base).changed, {});
	assert.deepEqual(merge({}, { file: 'x' }, {}).values, { file: 'x' });
});

test('stored values in words', () => {
	assert.equal(inWords(true, { kind: 'checkbox' }), 'on');
	assert.equal(inWords('', { kind: 'select', options: [['', 'None'], ['dhcp', 'DHCP']] }), 'None');
	assert.deepEqual([inWords(''), inWords(undefined), inWords(512)], ['empty', 'empty', '512']);
	const said = [{}, { a: { isMine: true } }, { a: { isMine: false } }].map(sayMerged);
	assert.equal(new Set(said).size, 3);
	assert.ok(said.every((text) => text.includes('Nothing is stored yet')));
});
