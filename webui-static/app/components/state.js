// SPDX-License-Identifier: GPL-2.0-or-later
// A state as a dot and its word: never the colour alone.
import { html } from '../html.js';

/** @param {{tone: string, text: string, short?: boolean}} props short: the word only for readers */
export function State({ tone, text, short }) {
	return html`<span class="state" data-tone=${tone} title=${short ? text : undefined}><i class="dot" aria-hidden="true"></i
		><span class=${short ? 'unseen' : ''}>${text}</span></span>`;
}
