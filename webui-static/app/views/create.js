// SPDX-License-Identifier: GPL-2.0-or-later
// The dialog that creates a guest: what both kinds have in common. Steps stay in the page, so that errors find their fields.
import * as api from '../api.js';
import { html, useEffect, useLayoutEffect, useState } from '../html.js';
import { kindName, kindShort } from '../format.js';
import { go, href } from '../router.js';
import { dispatch, toastError, useStore } from '../store.js';
import { holds, namesOf, nextId, readFiles, readNetworks, readIfThere, readStorages } from '../components/choices.js';
import { CreateCommand } from '../components/command.js';
import { Dialog } from '../components/dialog.js';
import { FieldOf, useForm } from '../components/form.js';
import { TaskDialog } from '../components/task_dialog.js';
import { containerDefaults, containerParams, containerSteps } from './create_ct.js';
import { machineDefaults, machineParams, machineSteps } from './create_vm.js';
import { DownloadDialog } from './storage_dialogs.js';
import { UploadDialog } from './upload_dialog.js';

const FETCHES = { upload: UploadDialog, download: DownloadDialog };

const KINDS = {
	lxc: { steps: containerSteps, defaults: containerDefaults, params: containerParams, disk: 'rootdir', file: 'vztmpl', chosen: 'ostemplate' },
	qemu: { steps: machineSteps, defaults: machineDefaults, params: machineParams, disk: 'images', file: 'iso', chosen: 'iso' },
};

async function readChoices(node, kind) {
	const { disk, file } = KINDS[kind];
	const [disks, files, vmid, networks, kvm, recipes, all] = await Promise.all([
		readStorages(node, disk), readFiles(node, file), nextId(), readNetworks(node), kind === 'qemu' ? readIfThere(node, 'kvm') : null,
		kind === 'lxc' ? readIfThere(node, 'aplinfo') : null, readStorages(node, file),
	]);
	return { disks, files, vmid, networks: networks || [], bridges: namesOf(networks), kvm, recipes: recipes || [], fileStorages: all.filter((s) => s.active && holds(s, file)) };
}

function useChoices(node, kind) {
	const [choices, setChoices] = useState(null);
	const [error, setError] = useState('');
	useEffect(() => {
		if (node)
			readChoices(node, kind).then(setChoices, (e) => setError(e.message));
	}, [node, kind]);
	return { choices, error, setFiles: (files) => setChoices((old) => ({ ...old, files })) };
}

const invalid = (form) => form.ref.current?.querySelector('[aria-invalid="true"]');
const stepOf = (element) => Number(element.closest('[data-step]')?.dataset.step || 0);

/** The step that is shown; a field that the node refused brings its own up. Steps with such fields are marked. */
function useSteps(form) {
	const [step, setStep] = useState(0);
	const [bad, setBad] = useState('');
	useLayoutEffect(() => {
		const first = form.failure && invalid(form);
		if (first)
			setStep(stepOf(first));
	}, [form.failure]);
	useLayoutEffect(() => {
		const shown = form.ref.current.querySelector(`[data-step="${step}"]`);
		form.ref.current.querySelector('[aria-current=step]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
		(shown.querySelector('[aria-invalid="true"]') || shown.querySelector('input, select, textarea'))?.focus();
	}, [step]);
	useLayoutEffect(() => {
		const found = [...form.ref.current.querySelectorAll('[aria-invalid="true"]')].map(stepOf).join(' ');
		if (found !== bad)
			setBad(found);
	});
	return { step, setStep, isBad: (n) => bad.split(' ').includes(String(n)) };
}

function StepList({ steps, step, isBad, onStep }) {
	return steps.length > 1 && html`<ol class="steps">${steps.map(([title], n) => html`<li key=${title}><button type="button" class="quiet"
		aria-current=${n === step ? 'step' : undefined} data-bad=${isBad(n) ? '' : undefined} onClick=${() => onStep(n)}>${title}${
		isBad(n) && html`<span class="unseen"> (needs a change)</span>`}</button></li>`)}</ol>`;
}

/** The parameters, or null where a part cannot be written down. */
function paramsOf(params, values) {
	try {
		return params(values);
	} catch {
		return null;
	}
}

/** Files that come in from within the dialog, in a dialog upon it; the new one is chosen. */
function useFetch({ node, file, choices, onFiles, onChosen }) {
	const [open, setOpen] = useState(null);
	const close = async () => {
		setOpen(null);
		try {
			const files = await readFiles(node, file);
			const added = files.find((f) => !choices.files.some((old) => old.volid === f.volid));
			onFiles(files);
			if (added)
				onChosen(added.volid);
		} catch (error) {
			toastError(error, 'Files');
		}
	};
	const Fetch = open && FETCHES[open.name];
	return { ask: (name, storage) => setOpen({ name, storage }), dialog: open && html`<${Fetch} node=${node} storage=${open.storage} kinds=${[file]} onClose=${close} />` };
}

function Form({ kind, node, choices, onFiles, onStarted, onClose }) {
	const { steps, defaults, params, file, chosen } = KINDS[kind];
	const call = (v) => ({ method: 'POST', path: api.path('nodes', node, kind), params: params(v) });
	const send = async (v) => ({ vmid: v.vmid, upid: await api.post(call(v).path, call(v).params) });
	const form = useForm({ initial: () => defaults(choices), check: call, send, onDone: onStarted });
	const { step, setStep, isBad } = useSteps(form);
	const fetching = useFetch({ node, file, choices, onFiles, onChosen: form.set(chosen) });
	const isLast = step === steps.length - 1;
	const submit = (event) => {
		event.preventDefault();
		return isLast ? form.submit(event) : setStep(step + 1);
	};
	return html`<form ref=${form.ref} onSubmit=${submit} noValidate>
		<${StepList} steps=${steps} step=${step} isBad=${isBad} onStep=${setStep} />
		${steps.map(([title, Fields], n) => html`<div key=${title} class="fields" data-step=${n} hidden=${n !== step}>
			<${Fields} field=${FieldOf(form)} form=${form} values=${form.values} choices=${choices} node=${node} onFiles=${onFiles} onFetch=${fetching.ask} />
			${n === steps.length - 1 && html`<${CreateCommand} params=${paramsOf(params, form.values)} />`}</div>`)}
		<p class="form-error" role="alert">${form.message}</p>
		<footer><button type="button" onClick=${onClose}>Cancel</button>
			${step > 0 && html`<button type="button" onClick=${() => setStep(step - 1)}>Back</button>`}
			<button type="submit" class="main" onClick=${(e) => e.detail > 1 && e.preventDefault()} disabled=${form.isBusy}>${isLast ? (form.isBusy ? 'Creating…' : 'Create') : 'Next'}</button></footer>
	</form>${fetching.dialog}`;
}

export function Create({ kind }) {
	const nodes = Object.values(useStore((s) => s.resources)).filter((e) => e.type === 'node' && e.status === 'online').map((e) => e.node).sort();
	const [chosen, setChosen] = useState('');
	const [started, setStarted] = useState(null);
	const node = chosen || nodes[0];
	const { choices, error, setFiles } = useChoices(node, kind);
	const close = () => dispatch({ type: 'create', kind: null });
	const begin = (result) => {
		setStarted(result);
		go(href('guest', kind, result.vmid));
	};
	if (started)
		return html`<${TaskDialog} upid=${started.upid} title=${`Create ${kindShort(kind)} ${started.vmid}`} onClose=${close} />`;
	return html`<${Dialog} title=${`Create ${kindName(kind).toLowerCase()}`} wide onClose=${close}>
		${nodes.length > 1 && html`<p class="node-choice"><label>Node <select value=${node} onChange=${(e) => setChosen(e.target.value)}>
			${nodes.map((n) => html`<option key=${n} value=${n}>${n}</option>`)}</select></label></p>`}
		${choices ? html`<${Form} key=${node} kind=${kind} node=${node} choices=${choices} onFiles=${setFiles} onStarted=${begin} onClose=${close} />`
			: html`<div class="empty"><p role="status">${error || 'Loading…'}</p></div>`}
	<//>`;
}
