// SPDX-License-Identifier: GPL-2.0-or-later
// Line icons, 16 by 16. They go beside words and say nothing by themselves, so they are hidden from readers.
import { html } from '../html.js';

const SHAPES = {
	lxc: 'M8 1.8 14 5v6l-6 3.2L2 11V5zM2 5l6 3.2L14 5M8 8.2v6',
	qemu: 'M2 3h12v8H2zM5.5 14h5M8 11v3',
	node: 'M2.5 2.5h11v4h-11zM2.5 9.5h11v4h-11zM5 4.5h.01M5 11.5h.01',
	storage: 'M3 4c0-2.6 10-2.6 10 0v8c0 2.6-10 2.6-10 0zM3 4c0 2.6 10 2.6 10 0M3 8c0 2.6 10 2.6 10 0',
	pool: 'M2 4h4.5l1.5 2h6v7H2zM2 6h6',
	tasks: 'M6 4h8M6 8h8M6 12h8M2 4h.01M2 8h.01M2 12h.01',
	home: 'M2 8l6-5.5L14 8M4 7v6.5h8V7',
	plus: 'M8 3v10M3 8h10',
	start: 'M5 3l8 5-8 5z',
	stop: 'M4 4h8v8H4z',
	shutdown: 'M8 2v6M4.6 4.2a5 5 0 1 0 6.8 0',
	reboot: 'M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3',
	reset: 'M3 8a5 5 0 1 0 1.6-3.7M3 2v3h3',
	destroy: 'M3 4.5h10M6.5 4V2.5h3V4M4.5 4.5l.6 9h5.8l.6-9',
	suspend: 'M5 3h2v10H5zM9 3h2v10H9z',
	resume: 'M3 3v10M6 3l8 5-8 5z',
	clone: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
	template: 'M2.5 2.5h11v3h-11zM2.5 8h5v5.5h-5zM10 8h3.5M10 10.7h3.5M10 13.4h3.5',
	snapshot: 'M2.5 4.5h3l1-2h3l1 2h3v9h-11zM8 6.2a2.6 2.6 0 1 1 0 5.2 2.6 2.6 0 0 1 0-5.2',
	rollback: 'M2.5 8a5.5 5.5 0 1 0 2-4.2M2.5 2.5v3.3h3.3M8 5v3l2 1.5',
	grow: 'M9.5 2.5h4v4M13.5 2.5l-5 5M6.5 13.5h-4v-4M2.5 13.5l5-5',
	move: 'M2 8h11M9.5 4.5L13 8l-3.5 3.5',
	detach: 'M6.5 9.5l3-3M7 4.5l1.5-1.5a3 3 0 0 1 4.2 4.2L11.5 8.5M9 11.5L7.5 13a3 3 0 0 1-4.2-4.2L4.5 7.5M2.5 2.5l11 11',
	attach: 'M6.5 9.5l3-3M7 4.5l1.5-1.5a3 3 0 0 1 4.2 4.2L11.5 8.5M9 11.5L7.5 13a3 3 0 0 1-4.2-4.2L4.5 7.5',
	revert: 'M6 3L2.5 6.5 6 10M2.5 6.5H10a3.5 3.5 0 0 1 0 7H6',
	upload: 'M8 11V3M4.5 6.5L8 3l3.5 3.5M2.5 13.5h11',
	download: 'M8 3v8M4.5 7.5L8 11l3.5-3.5M2.5 13.5h11',
	edit: 'M3 13l.6-2.8 7.6-7.6 2.2 2.2-7.6 7.6z',
	open: 'M9 3h4v4M13 3L7.5 8.5M11 9.5V13H3V5h3.5',
	full: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
	light: 'M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6M8 1.2v1.3M8 13.5v1.3M1.2 8h1.3M13.5 8h1.3M3.2 3.2l.9.9M11.9 11.9l.9.9M3.2 12.8l.9-.9M11.9 4.1l.9-.9',
	dark: 'M13 9.8A5.6 5.6 0 0 1 6.2 3 5.6 5.6 0 1 0 13 9.8z',
	logout: 'M6.5 2.5h-4v11h4M10.5 5l3 3-3 3M13.5 8H6',
	close: 'M4 4l8 8M12 4l-8 8',
	back: 'M9.5 3L4.5 8l5 5',
	sortUp: 'M4.5 9.5L8 6l3.5 3.5',
	sortDown: 'M4.5 6.5L8 10l3.5-3.5',
};

export function Icon({ name }) {
	return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d=${SHAPES[name]} /></svg>`;
}
