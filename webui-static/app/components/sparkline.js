// SPDX-License-Identifier: GPL-2.0-or-later
// The last minutes of a figure, as far as this page has seen them.
import { html } from '../html.js';

const WIDTH = 240, HEIGHT = 44;

/** @param {{values: number[], max: number, label: string}} props */
export function Sparkline({ values, max, label }) {
	if (values.length < 2)
		return html`<div class="spark spark-empty"><span>gathering…</span></div>`;
	const step = WIDTH / (values.length - 1);
	const y = (v) => HEIGHT - 2 - Math.min(1, max > 0 ? v / max : 0) * (HEIGHT - 4);
	const line = values.map((v, i) => `${(i * step).toFixed(1)},${y(v).toFixed(1)}`).join(' ');
	return html`<svg class="spark" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${label}>
		<polygon points=${`0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} />
		<polyline points=${line} />
	</svg>`;
}
