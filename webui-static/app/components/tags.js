// SPDX-License-Identifier: GPL-2.0-or-later
import { html } from '../html.js';

/** @param {{list: string[]}} props */
export function Tags({ list }) {
	return list.length > 0 && html`<span class="tags">${list.map((t) => html`<span class="tag" key=${t}>${t}</span>`)}</span>`;
}
