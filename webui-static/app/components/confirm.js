// SPDX-License-Identifier: GPL-2.0-or-later
// Asks before what cannot be taken back; to destroy a guest its id must be typed.
import { html, useState } from '../html.js';
import { kindName, nameOf } from '../format.js';
import { Dialog } from './dialog.js';
import { Field } from './field.js';

export function Confirm({ action, entry, onYes, onClose }) {
	const [typed, setTyped] = useState('');
	const wantsId = action.confirm === 'id';
	const isRight = !wantsId || typed.trim() === String(entry.vmid);
	const submit = (event) => {
		event.preventDefault();
		if (isRight)
			onYes();
	};
	return html`<${Dialog} title=${`${action.label.replace('…', '')} ${kindName(entry.type).toLowerCase()} ${entry.vmid}?`} onClose=${onClose}>
		<form onSubmit=${submit}>
			<p><b class="guest-name">${nameOf(entry)}</b></p>
			<p>${wantsId ? 'Its configuration and all of its volumes are removed. There is no way back.' : action.confirm}</p>
			${wantsId && html`<${Field} label=${`Type ${entry.vmid} to go on`} name="confirm-id" value=${typed} onValue=${setTyped} inputmode="numeric" autofocus />`}
			<footer><button type="button" onClick=${onClose}>Cancel</button>
				<button type="submit" class="danger solid" disabled=${!isRight}>${action.label.replace('…', '')}</button></footer>
		</form>
	<//>`;
}
