// SPDX-License-Identifier: GPL-2.0-or-later
// The command that a form stands for, and how fast something goes.
import assert from 'node:assert/strict';
import test from 'node:test';
import './no_page.js';
import { createCommand, quote, variablesOf } from '../../../webui-static/app/command.js';
import { addSample, leftOf, rateOf } from '../../../webui-static/app/rate.js';

test('words as a shell takes them', () => {
	assert.deepEqual(['a', 'local:8', '', 'a b', 'it\'s', '$(x)', '-x', 'a;b', 'x=y'].map(quote), ['a', 'local:8', '\'\'', '\'a b\'', '\'it\'\\\'\'s\'', '\'$(x)\'', '\'-x\'', '\'a;b\'', '\'x=y\'']);
});

test('the command of a container', () => {
	const params = { vmid: '100', ostemplate: 'local:vztmpl/a.tar.gz', hostname: undefined, net0: 'name=eth0,ip=dhcp', password: 'geheim', description: '--x\n\'y\'', unprivileged: 0, start: true };
	const text = createCommand(params);
	assert.equal(text, 'lodge create 100 --ostemplate local:vztmpl/a.tar.gz --net0 \'name=eth0,ip=dhcp\' --password="$PASSWORD" --description=\'--x\n\'\\\'\'y\'\\\'\'\' --unprivileged 0 --start 1');
	assert.ok(!text.includes('geheim'));
	assert.deepEqual([variablesOf(params), variablesOf({})], [['PASSWORD'], []]);
});

test('a rate is that of the last seconds', () => {
	let samples = addSample([], 0, 0);
	assert.equal(rateOf(samples), undefined);
	samples = addSample(samples, 1000, 1000);
	assert.equal(rateOf(samples), 1000);
	for (let at = 2000; at <= 10000; at += 1000)
		samples = addSample(samples, at, 1000 + 3000 * (at / 1000 - 1));
	assert.equal(rateOf(samples), 3000);
	assert.equal(leftOf(samples, 1000 + 3000 * 19), 10);
	assert.equal(leftOf([], 5), undefined);
	assert.equal(addSample([{ at: 0, done: 1 }], 60000, 2).length, 2, 'a pause leaves the last one');
});
