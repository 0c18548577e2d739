// SPDX-License-Identifier: GPL-2.0-or-later
// A labelled control with its hint and its error beside it.
import { html, useRef } from '../html.js';

let ids = 0;

function control(kind, props, options) {
	switch (kind) {
	case 'select':
		return html`<select ...${props}>${options.map(([value, text]) =>
			html`<option key=${value} value=${value} selected=${String(value) === String(props.value)}>${text}</option>`)}</select>`;
	case 'textarea':
		return html`<textarea rows="3" spellcheck=${false} ...${props}></textarea>`;
	case 'file':
		return html`<input type="file" ...${props} />`;
	default:
		return html`<input type=${kind} autocomplete="off" ...${props} />`;
	}
}

/** kind: type of an input ("file": its value is the chosen file, or files if multiple), "select" (with options [[value, text]…]), "textarea" or "checkbox".
 * @param {{label: string, name: string, kind?: string, value: any, onValue: (value: any) => void, options?: [any, string][],
 *  hint?: any, error?: string, unit?: string, [more: string]: any}} props */
export function Field({ label, name, kind = 'text', value, onValue, options, hint, error, unit, ...more }) {
	const id = useRef(`field-${++ids}`).current;
	const isCheck = kind === 'checkbox';
	const described = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(' ');
	const props = {
		id, name, ...more,
		'aria-invalid': error ? 'true' : undefined,
		'aria-describedby': described || undefined,
		...(isCheck ? { checked: value } : kind === 'file' ? {} : { value }),
		[kind === 'select' ? 'onChange' : 'onInput']: ({ target }) => onValue(isCheck ? target.checked : kind === 'file' ? (more.multiple ? [...target.files] : target.files[0]) : target.value),
	};
	const input = control(kind, props, options);
	return html`<div class=${isCheck ? 'field check' : 'field'} data-name=${name}>
		${isCheck ? html`<label for=${id}>${input}<span>${label}</span></label>`
			: html`<label for=${id}>${label}</label>
				${unit ? html`<span class="with-unit">${input}<span class="unit">${unit}</span></span>` : input}`}
		${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
		${error && html`<p class="error" id=${`${id}-error`}>${error}</p>`}
	</div>`;
}
