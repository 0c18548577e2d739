// SPDX-License-Identifier: GPL-2.0-or-later
// A button with a list of more below it. Escape, a choice, or the focus elsewhere closes it.
import { html, useRef } from '../html.js';
import { Icon } from './icon.js';

/** items: [{ name, label, danger?, disabled? }].
 * @param {{label: string, items: object[], onChoose: (item: any) => void}} props */
export function Menu({ label, items, onChoose }) {
	const ref = useRef(null);
	const close = () => { ref.current.open = false; };
	const key = (event) => {
		if (event.key !== 'Escape' || !ref.current.open)
			return;
		event.stopPropagation();
		close();
		ref.current.querySelector('summary').focus();
	};
	const left = (event) => ref.current && !ref.current.contains(event.relatedTarget) && close();
	const choose = (item) => () => {
		close();
		ref.current.querySelector('summary').focus(); // where it comes back to from a dialog
		onChoose(item);
	};
	return html`<details class="menu" ref=${ref} onKeyDown=${key} onFocusOut=${left}>
		<summary class="button" onClick=${(e) => e.currentTarget.focus()}>${label}<${Icon} name="sortDown" /></summary>
		<ul>${items.map((item) => html`<li key=${item.name}><button type="button" class=${item.danger ? 'quiet danger' : 'quiet'} data-action=${item.name}
			disabled=${item.disabled} onClick=${choose(item)}><${Icon} name=${item.icon || item.name} />${item.label}</button></li>`)}</ul>
	</details>`;
}
