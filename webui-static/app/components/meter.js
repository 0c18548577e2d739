// SPDX-License-Identifier: GPL-2.0-or-later
// A share of something: number and bar.
import { html } from '../html.js';
import { percent } from '../format.js';

/** @param {{value: number|undefined, label: string, text?: string, isCalm?: boolean}} props value 0 to 1; label for readers; isCalm: a high
 *  value is nothing to worry about */
export function Meter({ value, label, text, isCalm }) {
	const known = Number.isFinite(value);
	const tone = !known ? 'none' : isCalm ? 'calm' : value > 0.9 ? 'high' : value > 0.75 ? 'warm' : 'calm';
	return html`<span class="meter" data-tone=${tone}>
		<span class="meter-text">${text ?? percent(value)}</span>
		<span class="meter-bar" role="meter" aria-label=${label} aria-valuemin="0" aria-valuemax="100"
			aria-valuenow=${known ? Math.round(value * 100) : 0}><i style=${{ width: `${known ? value * 100 : 0}%` }}></i></span>
	</span>`;
}
