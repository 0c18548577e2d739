// SPDX-License-Identifier: GPL-2.0-or-later
// Brings a file to one of the node's storages from within another dialog: by upload or download.
import { html, useState } from '../html.js';
import { Icon } from './icon.js';

/** storages: those that take it. onOpen(name, storage): "upload" or "download" is asked for.
 * @param {{storages: object[], onOpen: (name: string, storage: string) => void}} props */
export function FetchFile({ storages, onOpen }) {
	const [chosen, setChosen] = useState('');
	const storage = chosen || storages[0]?.storage;
	const button = (name, label) => html`<button type="button" onClick=${() => onOpen(name, storage)}><${Icon} name=${name} />${label}</button>`;
	return storages.length > 0 && html`<div class="all fetch">${button('upload', 'Upload…')}${button('download', 'Download…')}
		${storages.length > 1 && html`<label>to <select value=${storage} onChange=${(e) => setChosen(e.target.value)}>
			${storages.map((s) => html`<option key=${s.storage} value=${s.storage}>${s.storage}</option>`)}</select></label>`}</div>`;
}
