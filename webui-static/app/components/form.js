// SPDX-License-Identifier: GPL-2.0-or-later
// What forms have in common: values, sending, and the node's errors beside their fields. While one types the node looks
// over the same call without making it (POST /lodge/check): what it says is shown at the fields that were touched.
import * as api from '../api.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from '../html.js';
import { Dialog } from './dialog.js';
import { Field } from './field.js';

const PAUSE = 300; /* ms without a key until the node is asked */
const PART = /^(?:invalid format - )?([\w-]+): ([^]*)$/;

/** Pure. Errors by the name of a field: its own, or "net0.ip" for a part of a property string. What has no field is the rest.
 * @param {{fields?: Record<string, string>, message: string}} error @param {(name: string) => boolean} has */
export function splitErrors(error, has) {
	const shown = {}, rest = [];
	for (const [name, text] of Object.entries(error.fields || {})) {
		const part = PART.exec(text);
		if (part && has(`${name}.${part[1]}`))
			shown[`${name}.${part[1]}`] = part[2];
		else if (has(name))
			shown[name] = text;
		else
			rest.push(`${name}: ${text}`);
	}
	return { shown, rest: rest.join(' ') || (Object.keys(shown).length ? '' : error.message) };
}

/** Somebody else changed the same thing meanwhile. */
export const isConflict = (error) => /detected modified configuration/.test(error.message);

const hasField = (form) => (name) => Boolean(form.current?.querySelector(`[data-errors~="${CSS.escape(name)}"]`));

/** What the node says of a call while its parameters are typed. */
function useCheck(check, values, touched, form) {
	const [told, setTold] = useState({});
	useEffect(() => {
		if (!check || touched.size === 0)
			return;
		let isGone = false;
		const timer = setTimeout(() => look(check, values).then((fields) =>
			isGone || setTold(splitErrors({ fields, message: '' }, hasField(form)).shown), () => {}), PAUSE);
		return () => {
			isGone = true;
			clearTimeout(timer);
		};
	}, [values]);
	return told;
}

async function look(check, values) {
	try {
		const { method, path, params } = check(values);
		const sent = Object.fromEntries(api.encode(params));
		return (await api.post('/lodge/check', { method, path, params: JSON.stringify(sent) })).errors;
	} catch (error) {
		return error.status === 400 && error.fields || {}; // a part that cannot be written down
	}
}

/** check(values): the call as { method, path, params }; none: nothing is looked over. send(values) makes it; its failure is shown.
 * @param {{initial: object, check?: (values: object) => object, send: (values: object) => Promise<any>, onDone: (result: any) => void}} props */
export function useForm({ initial, check, send, onDone }) {
	const [values, setValues] = useState(initial);
	const [touched, setTouched] = useState(new Set());
	const [failure, setFailure] = useState(null);
	const [isBusy, setBusy] = useState(false);
	const form = useRef(null);
	const told = useCheck(check, values, touched, form);
	const answer = failure ? splitErrors(failure, hasField(form)) : { shown: {}, rest: '' };

	useLayoutEffect(() => form.current?.querySelector('[aria-invalid="true"]')?.focus(), [failure]);
	const set = (name) => (value) => {
		setValues((old) => ({ ...old, [name]: value }));
		setTouched((old) => new Set([...old, name]));
		if (failure && !isConflict(failure))
			setFailure(null);
	};
	const submit = async (event) => {
		event?.preventDefault();
		setBusy(true);
		setFailure(null);
		try {
			const result = await send(values);
			setBusy(false);
			onDone(result);
		} catch (error) {
			setBusy(false);
			setFailure(error);
		}
	};
	const errorOf = (name, names) => names.map((n) => answer.shown[n] || (touched.has(name) && told[n])).find(Boolean);
	return { ref: form, values, set, setValues, submit, isBusy, failure, message: answer.rest, errorOf };
}

/** field({ name, label, … }): a Field of a form. errorsOf: names in the API's errors, its own name by default.
 * @returns {(props: object) => any} */
export function FieldOf({ values, set, errorOf }) {
	return ({ name, errorsOf = name, wide, ...props }) => html`<div key=${name} class=${wide ? 'cell all' : 'cell'} data-errors=${errorsOf}>
		<${Field} name=${name} value=${values[name]} onValue=${set(name)} error=${errorOf(name, errorsOf.split(' '))} ...${props} /></div>`;
}

function Conflict({ onReload }) {
	return html`<p class="conflict" role="alert">Somebody else changed this meanwhile. <button type="button" onClick=${onReload}>Show what is stored now</button></p>`;
}

/** A dialog with a form. children: (field, form) → what is in it. onReload: loads what a conflict was about.
 * @param {{title: string, label?: string, initial: object, check?: (values: object) => object, send: (values: object) => Promise<any>,
 *  onClose: () => void, onDone?: (result: any) => void, onReload?: () => void, wide?: boolean, danger?: boolean,
 *  children: (field: any, form: any) => any}} props */
export function FormDialog({ title, label = 'Save', initial, check, send, onClose, onDone = onClose, onReload, wide, danger, children }) {
	const form = useForm({ initial, check, send, onDone });
	const isStale = onReload && form.failure && isConflict(form.failure);
	return html`<${Dialog} title=${title} wide=${wide} onClose=${onClose}><form ref=${form.ref} onSubmit=${form.submit} noValidate>
		<div class="fields">${children(FieldOf(form), form)}</div>
		${isStale ? html`<${Conflict} onReload=${onReload} />` : html`<p class="form-error" role="alert">${form.message}</p>`}
		<footer><button type="button" onClick=${onClose}>Cancel</button>
			<button type="submit" class=${danger ? 'danger solid' : 'main'} disabled=${form.isBusy || isStale}>${label}</button></footer>
	</form><//>`;
}
