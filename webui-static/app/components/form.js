// SPDX-License-Identifier: GPL-2.0-or-later
// What forms have in common: values, sending, and the node's errors beside their fields. While one types the node looks
// over the same call without making it (POST /lodge/check): what it says is shown at the fields that were touched.
import * as api from '../api.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from '../html.js';
import { inWords, merge, sayMerged } from '../merge.js';
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

/** Another version of what the form is about: its values are the initial ones of now, upon which what was typed is kept. What others
 * changed is told after a conflict only (isStale), not when it was stored from here. */
function useMerged(version, initial, values, setValues) {
	const base = useRef({ version, values: initial, isStale: false });
	const [changed, setChanged] = useState(null);
	useLayoutEffect(() => {
		if (base.current.version === version)
			return;
		const merged = merge(base.current.values, values, initial);
		if (base.current.isStale)
			setChanged(merged.changed);
		base.current = { version, values: initial, isStale: false };
		setValues(merged.values);
	}, [version]);
	return { base, changed, setChanged };
}

/** check(values): the call as { method, path, params }; none: nothing is looked over. send(values) makes it; its failure is shown.
 * version: of what the initial values are from; onReload: reads that anew after a conflict, and gives version and initial of then.
 * @param {{initial: object, version?: string, check?: (values: object) => object, send: (values: object) => Promise<any>,
 *  onDone: (result: any) => void, onReload?: () => Promise<any>}} props */
export function useForm({ initial, version, check, send, onDone, onReload }) {
	const [values, setValues] = useState(initial);
	const [touched, setTouched] = useState(new Set());
	const [failure, setFailure] = useState(null);
	const [isBusy, setBusy] = useState(false);
	const form = useRef(null);
	const told = useCheck(check, values, touched, form);
	const { base, changed, setChanged } = useMerged(version, typeof initial === 'function' ? null : initial, values, setValues);
	const answer = failure ? splitErrors(failure, hasField(form)) : { shown: {}, rest: '' };

	useLayoutEffect(() => form.current?.querySelector('[aria-invalid="true"]')?.focus(), [failure]);
	useLayoutEffect(() => changed && form.current?.querySelector('.stored')?.closest('.cell').querySelector('input, select, textarea')?.focus(), [changed]);
	const set = (name) => (value) => {
		setValues((old) => ({ ...old, [name]: value }));
		setTouched((old) => new Set([...old, name]));
		setFailure(null);
	};
	const submit = async (event) => {
		event?.preventDefault();
		setBusy(true);
		setFailure(null);
		setChanged(null);
		try {
			const result = await send(values);
			base.current.values = values;
			setBusy(false);
			onDone(result);
		} catch (error) {
			await fail(error);
			setBusy(false);
		}
	};
	const fail = async (error) => {
		try {
			if (!onReload || !isConflict(error))
				throw error;
			base.current.isStale = true;
			await onReload();
			setChanged((merged) => merged ?? {}); // it may be the same as before
		} catch (failed) {
			setFailure(failed);
		}
	};
	const errorOf = (name, names) => names.map((n) => answer.shown[n] || (touched.has(name) && told[n])).find(Boolean);
	return { ref: form, values, set, setValues, submit, isBusy, failure, changed, message: answer.rest, errorOf };
}

/** Beside a field that somebody else changed: what is stored now, and how to take that. */
function Stored({ change, value, onTake, ...field }) {
	const isTaken = String(value) === String(change.theirs);
	return html`<p class="stored">${isTaken ? 'Changed by somebody else: this is stored now.' : html`Stored now: <b>${inWords(change.theirs, field)}</b>
		<button type="button" class="small" aria-label=${`Take what is stored: ${field.label}`} onClick=${onTake}>Take it</button>`}</p>`;
}

/** field({ name, label, … }): a Field of a form. errorsOf: names in the API's errors, its own name by default.
 * @returns {(props: object) => any} */
export function FieldOf({ values, set, errorOf, changed }) {
	return ({ name, errorsOf = name, wide, ...props }) => html`<div key=${name} class=${wide ? 'cell all' : 'cell'} data-errors=${errorsOf}>
		<${Field} name=${name} value=${values[name]} onValue=${set(name)} error=${errorOf(name, errorsOf.split(' '))} ...${props} />
		${changed?.[name] && html`<${Stored} ...${props} change=${changed[name]} value=${values[name]} onTake=${() => set(name)(changed[name].theirs)} />`}</div>`;
}

/** What is wrong with all of it, or that somebody else was faster. */
export function FormMessage({ form }) {
	return form.changed ? html`<p class="conflict" role="alert">${sayMerged(form.changed)}</p>` : html`<p class="form-error" role="alert">${form.message}</p>`;
}

/** A dialog with a form. children: (field, form) → what is in it. version, onReload: as for useForm.
 * @param {{title: string, label?: string, initial: object, version?: string, check?: (values: object) => object,
 *  send: (values: object) => Promise<any>, onClose: () => void, onDone?: (result: any) => void, onReload?: () => Promise<any>, wide?: boolean,
 *  danger?: boolean, children: (field: any, form: any) => any}} props */
export function FormDialog({ title, label = 'Save', initial, version, check, send, onClose, onDone = onClose, onReload, wide, danger, children }) {
	const form = useForm({ initial, version, check, send, onDone, onReload });
	return html`<${Dialog} title=${title} wide=${wide} onClose=${onClose}><form ref=${form.ref} onSubmit=${form.submit} noValidate>
		<div class="fields">${children(FieldOf(form), form)}</div>
		<${FormMessage} form=${form} />
		<footer><button type="button" onClick=${onClose}>Cancel</button>
			<button type="submit" class=${danger ? 'danger solid' : 'main'} disabled=${form.isBusy}>${label}</button></footer>
	</form><//>`;
}
