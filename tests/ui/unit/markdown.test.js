// SPDX-License-Identifier: GPL-2.0-or-later
// Notes: what is marked, and that everything else stays text.
import assert from 'node:assert/strict';
import test from 'node:test';
import { blocks, pieces } from '../../../webui-static/app/markdown.js';

const kinds = (text) => blocks(text).map((b) => `${b.kind}:${b.lines.join('|')}`);

test('blocks', () => {
	assert.deepEqual(kinds('# Web\nfront of **all**\nsecond\n\n- a\n- b\n\n1. x\n2) y\n---\n```\n# code\n\n<b>\n```\nend'), [
		'heading:Web', 'paragraph:front of **all**|second', 'list:a|b', 'numbers:x|y', 'rule:', 'code:# code||<b>', 'paragraph:end']);
	assert.deepEqual(kinds('```\nnever closed'), ['code:never closed']);
	assert.deepEqual(kinds('\r\n \n'), []);
	assert.equal(blocks('###### low')[0].level, 6);
	assert.deepEqual(kinds('#tag is none'), ['paragraph:#tag is none']);
});

test('pieces', () => {
	assert.deepEqual(pieces('see `a*b*` and **bold**, *so*'), [
		{ kind: 'text', text: 'see ' }, { kind: 'code', text: 'a*b*' }, { kind: 'text', text: ' and ' }, { kind: 'bold', text: 'bold' },
		{ kind: 'text', text: ', ' }, { kind: 'italic', text: 'so' }]);
	assert.deepEqual(pieces('[door](https://10.0.0.5:8443/x), https://a.b/c.'), [
		{ kind: 'link', text: 'door', href: 'https://10.0.0.5:8443/x' }, { kind: 'text', text: ', ' },
		{ kind: 'link', text: 'https://a.b/c', href: 'https://a.b/c' }, { kind: 'text', text: '.' }]);
	assert.deepEqual(pieces('2 * 3 * 4'), [{ kind: 'text', text: '2 * 3 * 4' }]);
});

test('what is hostile stays text', () => {
	for (const text of ['[x](javascript:alert(1))', '[x](data:text/html,x)', '<img src=x onerror=alert(1)>', '**', '`', '[[[[', 'JAVASCRIPT:alert(1)'])
		assert.deepEqual(pieces(text).filter((p) => p.kind === 'link'), [], text);
	assert.deepEqual(pieces('<https://a.b/"onclick=x>').find((p) => p.kind === 'link').href, 'https://a.b/');
	const long = '['.repeat(8192) + '*'.repeat(8192) + 'https://'.repeat(1000);
	const start = performance.now();
	assert.equal(pieces(long).map((p) => p.text).join(''), long, 'no text is lost');
	assert.ok(performance.now() - start < 2000, 'it takes a while at most');
});
