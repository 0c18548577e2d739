// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';
import { binaryInput, greeting, input, opener, ping, resize } from '../../../webui-static/app/terminal/framing.js';

const text = (bytes) => Buffer.from(bytes).toString('latin1');
const bytes = (t) => new TextEncoder().encode(t);

test('frames', () => {
	assert.equal(text(greeting('admin@pve', 'PVEVNC:abc')), 'admin@pve:PVEVNC:abc\n');
	assert.equal(text(input('ls\r')), '0:3:ls\r');
	assert.equal(text(resize(80, 24)), '1:80:24:');
	assert.equal(text(ping()), '2');
});

test('lengths count bytes', () => {
	assert.deepEqual(Buffer.from(input('ü€𝄞')), Buffer.concat([Buffer.from('0:9:'), Buffer.from('ü€𝄞')]));
	assert.deepEqual(Buffer.from(binaryInput('\xff\x00')), Buffer.from([0x30, 0x3a, 0x32, 0x3a, 0xff, 0]));
	assert.equal(text(input('')), '0:0:');
});

test('OK in one piece with what follows, and cut anywhere', () => {
	assert.equal(text(opener()(bytes('OKlogin: '))), 'login: ');
	const open = opener();
	assert.deepEqual(['O', '', 'K', 'a', 'OK'].map((p) => text(open(bytes(p)))), ['', '', '', 'a', 'OK']);
});

test('something else instead of OK', () => {
	assert.throws(() => opener()(bytes('no')), /refused/);
	const open = opener();
	open(bytes('O'));
	assert.throws(() => open(bytes('x')), /refused/);
});
