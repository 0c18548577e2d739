// SPDX-License-Identifier: GPL-2.0-or-later
// Short messages in a corner, read aloud as they come.
import { html, useEffect } from '../html.js';
import { dispatch, useStore } from '../store.js';
import { Icon } from './icon.js';

const NOTE_LIFE = 6000; /* ms; errors stay until they are closed */

function Toast({ toast }) {
	const close = () => dispatch({ type: 'untoast', id: toast.id });
	useEffect(() => {
		const timer = toast.tone === 'error' ? null : setTimeout(close, NOTE_LIFE);
		return () => clearTimeout(timer);
	}, []);
	return html`<div class="toast" data-tone=${toast.tone}>
		<p>${toast.tone === 'error' && html`<b>Error. </b>`}${toast.text}${toast.href && html` <a href=${toast.href} onClick=${close}>Show the log</a>`}</p>
		<button type="button" class="quiet square" aria-label="Close message" onClick=${close}><${Icon} name="close" /></button>
	</div>`;
}

export function Toasts() {
	const toasts = useStore((s) => s.toasts);
	return html`<div class="toasts" role="log" aria-live="polite" aria-relevant="additions" aria-label="Messages">
		${toasts.map((t) => html`<${Toast} key=${t.id} toast=${t} />`)}
	</div>`;
}
