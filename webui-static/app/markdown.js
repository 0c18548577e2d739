// SPDX-License-Identifier: GPL-2.0-or-later
// The part of Markdown that notes use, as a tree. Pure. Whatever is none of it stays the text that it is: no markup is ever made
// of it, and addresses are http or https alone.

/** Kinds of pieces within a line, tried in this order: { is(text): [pattern], piece(match) }. */
const PIECES = [
	[/`([^`]+)`/y, ([, text]) => ({ kind: 'code', text })],
	[/\*\*([^*]+)\*\*/y, ([, text]) => ({ kind: 'bold', text })],
	[/\*([^*\s](?:[^*]*[^*\s])?)\*/y, ([, text]) => ({ kind: 'italic', text })],
	[/\[([^\]]+)\]\((https?:\/\/[^\s()]+)\)/y, ([, text, href]) => ({ kind: 'link', text, href })],
	[/https?:\/\/[^\s<>"'()[\]]*[^\s<>"'()[\].,;:!?]/y, ([href]) => ({ kind: 'link', text: href, href })],
];
const STARTS = /[`*[]|https?:\/\//g;

function pieceAt(line, at) {
	for (const [pattern, make] of PIECES) {
		pattern.lastIndex = at;
		const found = pattern.exec(line);
		if (found)
			return { piece: make(found), end: pattern.lastIndex };
	}
	return null;
}

/** @param {string} line @returns {{kind: string, text: string, href?: string}[]} kind: text, code, bold, italic, link */
export function pieces(line) {
	const out = [];
	let done = 0;
	const plain = (end) => end > done && out.push({ kind: 'text', text: line.slice(done, end) });
	STARTS.lastIndex = 0;
	for (let start = STARTS.exec(line); start; start = STARTS.exec(line)) {
		const found = pieceAt(line, start.index);
		if (!found)
			continue;
		plain(start.index);
		out.push(found.piece);
		done = STARTS.lastIndex = found.end;
	}
	plain(line.length);
	return out;
}

const HEADING = /^(#{1,6})\s+(.*)$/;
const ITEM = /^\s*(?:[-*+]|(\d{1,4})[.)])\s+(.*)$/;
const FENCE = /^```/;
const RULE = /^\s*(?:-{3,}|\*{3,}|_{3,})\s*$/;

/** What a line begins, by its first words. */
function blockOf(line) {
	const heading = HEADING.exec(line), item = !RULE.test(line) && ITEM.exec(line);
	if (heading)
		return { kind: 'heading', level: heading[1].length, lines: [heading[2]] };
	if (RULE.test(line))
		return { kind: 'rule', lines: [] };
	return item ? { kind: item[1] ? 'numbers' : 'list', lines: [item[2]] } : { kind: 'paragraph', lines: [line] };
}

const GROWS = ['paragraph', 'list', 'numbers'];

/** @param {string} text @returns {{kind: string, level?: number, lines: string[]}[]} kind: paragraph, heading, list, numbers, code, rule */
export function blocks(text) {
	const out = [];
	let last = null; // the block that a line may go on
	for (const line of text.replace(/\r/g, '').split('\n')) {
		if (last?.kind === 'code') {
			if (FENCE.test(line))
				last = null;
			else
				last.lines.push(line);
			continue;
		}
		if (line.trim() === '') {
			last = null;
			continue;
		}
		const block = FENCE.test(line) ? { kind: 'code', lines: [] } : blockOf(line);
		if (last?.kind === block.kind && GROWS.includes(block.kind))
			last.lines.push(...block.lines);
		else
			out.push(last = block);
	}
	return out;
}
