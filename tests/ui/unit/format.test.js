// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';
import * as f from '../../../webui-static/app/format.js';

test('bytes', () => {
	for (const [n, text] of [[0, '0 B'], [1023, '1023 B'], [1024, '1 KiB'], [1536, '1.5 KiB'], [268435456, '256 MiB'],
		[1024 ** 3 * 41.25, '41.3 GiB'], [undefined, '–'], [-1, '–'], [NaN, '–']])
		assert.equal(f.bytes(n), text);
});

test('percent', () => {
	for (const [n, text] of [[0, '0 %'], [0.0123, '1.2 %'], [0.0999, '10 %'], [0.5, '50 %'], [1, '100 %'], [undefined, '–']])
		assert.equal(f.percent(n), text);
});

test('duration', () => {
	for (const [n, text] of [[0, '0 s'], [59.9, '59 s'], [60, '1 min 0 s'], [3661, '1 h 1 min'], [90061, '1 d 1 h'], [undefined, '–'], [-5, '–']])
		assert.equal(f.duration(n), text);
});

test('time is local and sortable', () => {
	assert.match(f.time(1700000000), /^2023-11-1[45] \d\d:\d\d:\d\d$/);
	assert.equal(f.time(0), '–');
	assert.equal(f.time(undefined), '–');
});

test('share', () => {
	assert.equal(f.share(1, 4), 0.25);
	assert.equal(f.share(5, 4), 1);
	assert.equal(f.share(1, 0), undefined);
	assert.equal(f.share(undefined, 4), undefined);
});

test('tags', () => {
	assert.deepEqual(f.tags('a;b, c'), ['a', 'b', 'c']);
	assert.deepEqual(f.tags(undefined), []);
});

test('a state has a word, whatever it is', () => {
	assert.deepEqual(f.stateOf({ status: 'running' }), { tone: 'running', text: 'running' });
	assert.deepEqual(f.stateOf({ status: 'prelaunch' }), { tone: 'unknown', text: 'prelaunch' });
	assert.deepEqual(f.stateOf({}), { tone: 'unknown', text: 'unknown' });
});

test('names of tasks', () => {
	for (const [type, id, text] of [['vzstart', '101', 'Start CT 101'], ['qmshutdown', '7', 'Shut down VM 7'], ['imgcopy', '', 'Upload'],
		['vncproxy', '101', 'Console of 101'], ['vzdump', '101', 'Back up 101'], ['strange', 'x', 'strange x']])
		assert.equal(f.taskName({ type, id }), text);
});

test('states of tasks', () => {
	assert.equal(f.taskState({}).text, 'running');
	assert.equal(f.taskState({ endtime: 1, status: 'OK' }).tone, 'running');
	assert.equal(f.taskState({ endtime: 1, status: 'WARNINGS: 2' }).tone, 'paused');
	assert.deepEqual(f.taskState({ endtime: 1, status: 'no space' }), { tone: 'failed', text: 'no space' });
	assert.equal(f.taskState({ endtime: 1 }).tone, 'failed');
});

test('UPIDs', () => {
	const upid = 'UPID:n1:0000ABCD:012345678:65530000:vzstart:101:admin@pve!token:';
	assert.deepEqual(f.parseUpid(upid), { upid, node: 'n1', starttime: 0x65530000, type: 'vzstart', id: '101', user: 'admin@pve!token' });
	assert.equal(f.parseUpid('UPID:n1:x'), null);
	assert.equal(f.parseUpid(`${upid}more`), null);
});

test('an end that nobody wished for stands at the state', () => {
	assert.deepEqual(f.stateOf({ status: 'stopped', reason: 'oom' }), { tone: 'failed', text: 'stopped, out of memory' });
	assert.deepEqual(f.stateOf({ status: 'stopped', reason: 'shutdown' }), { tone: 'stopped', text: 'stopped' });
	assert.deepEqual(f.stateOf({ status: 'running', reason: 'oom' }), { tone: 'running', text: 'running' });
});
