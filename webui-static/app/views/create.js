// SPDX-License-Identifier: GPL-2.0-or-later
// The dialog that creates a guest: what both kinds have in common, sending, and errors beside their fields.
import * as api from '../api.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from '../html.js';
import { kindName, kindShort } from '../format.js';
import { watchTask } from '../live.js';
import { go, href } from '../router.js';
import { dispatch, getState, useStore } from '../store.js';
import { Dialog } from '../components/dialog.js';
import { ContainerFields, containerDefaults, containerParams } from './create_ct.js';
import { MachineFields, machineDefaults, machineParams } from './create_vm.js';

const KINDS = {
	lxc: { Fields: ContainerFields, defaults: containerDefaults, params: containerParams },
	qemu: { Fields: MachineFields, defaults: machineDefaults, params: machineParams },
};

/** Storages of a node by content, and the files of one content on all of them. */
async function readChoices(node, diskContent, fileContent) {
	const storages = await api.get(api.path('nodes', node, 'storage'), { enabled: 1 });
	const has = (s, content) => (s.content || '').split(',').includes(content);
	const files = await Promise.all(storages.filter((s) => has(s, fileContent) && s.active).map((s) =>
		api.get(`${api.path('nodes', node, 'storage', s.storage)}/content`, { content: fileContent }).catch(() => [])));
	return { disks: storages.filter((s) => has(s, diskContent)), files: files.flat() };
}

/** What only some nodes can tell: not asked where the node's own list does not have it.
 * @param {Promise<{name: string}[]>} index of /nodes/{node} */
async function readIfThere(index, node, name, params) {
	try {
		return (await index).some((i) => i.name === name) ? await api.get(api.path('nodes', node, name), params) : null;
	} catch {
		return null;
	}
}

/* An id that was handed out is this page's for a minute: a dialog that is opened again takes the same one. */
const LEASE = 50000; /* ms */
let lease = { vmid: '', until: 0 };

async function nextId() {
	const isTaken = Object.values(getState().resources).some((e) => String(e.vmid) === lease.vmid);
	if (isTaken || Date.now() > lease.until)
		lease = { until: Date.now() + LEASE, vmid: await api.get('/cluster/nextid') };
	return lease.vmid;
}

/** What the fields can be chosen from; parts that this node cannot tell stay empty. */
function useChoices(node, kind) {
	const [choices, setChoices] = useState(null);
	const [error, setError] = useState('');
	useEffect(() => {
		if (!node)
			return;
		const [disk, file] = kind === 'lxc' ? ['rootdir', 'vztmpl'] : ['images', 'iso'];
		const index = api.get(api.path('nodes', node));
		Promise.all([
			readChoices(node, disk, file),
			nextId(),
			readIfThere(index, node, 'network', { type: 'any_bridge' }),
			kind === 'qemu' ? readIfThere(index, node, 'kvm') : null,
		]).then(([volumes, vmid, bridges, kvm]) => setChoices({ ...volumes, vmid, kvm, bridges: (bridges || []).map((b) => b.iface) }),
			(e) => setError(e.message));
	}, [node, kind]);
	return { choices, error };
}

/** Errors whose field the dialog does not have are told at its end. */
function split(error, form) {
	const shown = {}, rest = [];
	for (const [name, text] of Object.entries(error.fields || {})) {
		if (form.querySelector(`[data-errors~="${CSS.escape(name)}"]`))
			shown[name] = text;
		else
			rest.push(`${name}: ${text}`);
	}
	return { shown, rest: rest.join(' ') || (Object.keys(shown).length ? '' : error.message) };
}

function Form({ kind, node, choices, onClose }) {
	const { Fields, defaults, params } = KINDS[kind];
	const [values, setValues] = useState(() => defaults(choices));
	const [errors, setErrors] = useState({});
	const [message, setMessage] = useState('');
	const [isBusy, setBusy] = useState(false);
	const form = useRef(null);
	const set = (name) => (value) => setValues((old) => ({ ...old, [name]: value }));

	useLayoutEffect(() => form.current.querySelector('[aria-invalid="true"]')?.focus(), [errors]);
	const submit = async (event) => {
		event.preventDefault();
		setBusy(true);
		setMessage('');
		try {
			const upid = await api.post(api.path('nodes', node, kind), params(values));
			watchTask(upid, `Create ${kindShort(kind)} ${values.vmid}`);
			onClose();
			go(href('guest', kind, values.vmid));
		} catch (error) {
			const { shown, rest } = split(error, form.current);
			setErrors(shown);
			setMessage(rest);
			setBusy(false);
		}
	};
	return html`<form ref=${form} onSubmit=${submit} noValidate>
		<div class="fields"><${Fields} values=${values} set=${set} errors=${errors} choices=${choices} /></div>
		<p class="form-error" role="alert">${message}</p>
		<footer><button type="button" onClick=${onClose}>Cancel</button>
			<button type="submit" class="main" disabled=${isBusy}>${isBusy ? 'Creating…' : 'Create'}</button></footer>
	</form>`;
}

export function Create({ kind }) {
	const nodes = Object.values(useStore((s) => s.resources)).filter((e) => e.type === 'node' && e.status === 'online').map((e) => e.node).sort();
	const [chosen, setChosen] = useState('');
	const node = chosen || nodes[0];
	const { choices, error } = useChoices(node, kind);
	const close = () => dispatch({ type: 'create', kind: null });
	return html`<${Dialog} title=${`Create ${kindName(kind).toLowerCase()}`} wide onClose=${close}>
		${nodes.length > 1 && html`<p class="node-choice"><label>Node <select value=${node} onChange=${(e) => setChosen(e.target.value)}>
			${nodes.map((n) => html`<option key=${n} value=${n}>${n}</option>`)}</select></label></p>`}
		${choices ? html`<${Form} key=${node} kind=${kind} node=${node} choices=${choices} onClose=${close} />`
			: html`<div class="empty"><p role="status">${error || 'Loading…'}</p></div>`}
	<//>`;
}
