// SPDX-License-Identifier: GPL-2.0-or-later
// Notes with the marks that people write: headings, lists, emphasis, code, links. Each piece of text is a text node.
import { html } from '../html.js';
import { blocks, pieces } from '../markdown.js';

const PIECES = {
	text: ({ text }) => text,
	code: ({ text }) => html`<code>${text}</code>`,
	bold: ({ text }) => html`<b>${text}</b>`,
	italic: ({ text }) => html`<em>${text}</em>`,
	link: ({ text, href }) => html`<a href=${href} target="_blank" rel="noopener noreferrer">${text}</a>`,
};

const inline = (line) => pieces(line).map((p) => PIECES[p.kind](p));
const items = (lines) => lines.map((line, n) => html`<li key=${n}>${inline(line)}</li>`);

const BLOCKS = {
	paragraph: ({ lines }) => html`<p>${inline(lines.join('\n'))}</p>`,
	heading: ({ level, lines }) => html`<p class=${level < 3 ? 'heading' : 'heading low'} role="heading" aria-level=${Math.min(6, level + 2)}>${inline(lines[0])}</p>`,
	list: ({ lines }) => html`<ul>${items(lines)}</ul>`,
	numbers: ({ lines }) => html`<ol>${items(lines)}</ol>`,
	code: ({ lines }) => html`<pre class="mono">${lines.join('\n')}</pre>`,
	rule: () => html`<hr />`,
};

/** @param {{text: string}} props */
export function Markdown({ text }) {
	return html`<div class="notes markdown">${blocks(text).map((b, n) => html`<div key=${n}>${BLOCKS[b.kind](b)}</div>`)}</div>`;
}
