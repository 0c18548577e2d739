// SPDX-License-Identifier: GPL-2.0-or-later
// A modal dialog: Escape closes it, and what had the focus before gets it back.
import { html, useLayoutEffect, useRef } from '../html.js';
import { Icon } from './icon.js';

let ids = 0;

/** @param {{title: string, onClose: () => void, wide?: boolean, children: any}} props */
export function Dialog({ title, onClose, wide, children }) {
	const ref = useRef(null);
	const id = useRef(`dialog-${++ids}`).current;

	useLayoutEffect(() => {
		const dialog = ref.current;
		dialog.showModal();
		if (!dialog.querySelector('[autofocus]'))
			dialog.querySelector('form :is(input, select, textarea)')?.focus();
		return () => dialog.close(); // while it is still in the page: this is what gives the focus back
	}, []);
	const cancel = (event) => {
		if (event.target !== ref.current)
			return; // of something inside of it
		event.preventDefault();
		onClose();
	};
	return html`<dialog ref=${ref} class=${wide ? 'broad' : ''} aria-labelledby=${id} onCancel=${cancel}>
		<header><h2 id=${id}>${title}</h2>
			<button type="button" class="quiet square" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button></header>
		${children}
	</dialog>`;
}
