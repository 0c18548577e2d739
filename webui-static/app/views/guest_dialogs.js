// SPDX-License-Identifier: GPL-2.0-or-later
// Dialogs of a guest's actions that ask for more than a yes: shutting down within a time, cloning.
import * as api from '../api.js';
import { guestPath } from '../actions.js';
import { html, useEffect, useState } from '../html.js';
import { kindName, kindShort, nameOf } from '../format.js';
import { watchTask } from '../live.js';
import { go, href } from '../router.js';
import { Dialog } from '../components/dialog.js';
import { FormDialog } from '../components/form.js';
import { TaskDialog } from '../components/task_dialog.js';
import { nextId, readStorages, storageOptions } from '../components/choices.js';
import { PoolField } from '../components/create_fields.js';

export function ShutdownWithin({ entry, onClose }) {
	const send = async ({ timeout, force }) => {
		const upid = await api.post(`${guestPath(entry)}/status/shutdown`, { timeout, forceStop: force });
		watchTask(upid, `Shut down ${kindShort(entry.type)} ${entry.vmid}`);
	};
	return html`<${FormDialog} title=${`Shut down ${nameOf(entry)}`} label="Shut down" initial=${{ timeout: '60', force: false }} send=${send} onClose=${onClose}
		check=${({ timeout, force }) => ({ method: 'POST', path: `${guestPath(entry)}/status/shutdown`, params: { timeout, forceStop: force } })}>
		${(field) => html`${field({ name: 'timeout', label: 'Wait at most', kind: 'number', min: 0, unit: 's', wide: true, autofocus: true })}
			${field({ name: 'force', label: 'Stop it when it takes longer', kind: 'checkbox', wide: true, errorsOf: 'forceStop' })}`}
	<//>`;
}

/** Pure. */
export function cloneParams(entry, v) {
	return {
		newid: v.newid, [entry.type === 'lxc' ? 'hostname' : 'name']: v.name, snapname: v.snapname, full: v.full ? 1 : entry.template ? 0 : undefined,
		storage: v.full ? v.storage : undefined, description: v.description, pool: v.pool || undefined,
	};
}
const given = (params) => Object.fromEntries(Object.entries(params).filter(([, value]) => value !== ''));

function CloneForm({ entry, choices, snapshot, onClose, onStarted }) {
	const { newid, storages, snapshots } = choices;
	const call = (v) => ({ method: 'POST', path: `${guestPath(entry)}/clone`, params: given(cloneParams(entry, v)) });
	const send = async (v) => ({ upid: await api.post(call(v).path, call(v).params), vmid: v.newid });
	const initial = { newid, name: '', snapname: snapshot || '', full: !entry.template, storage: '', description: '', pool: '' };
	return html`<${FormDialog} title=${`Clone ${nameOf(entry)}`} label="Clone" wide initial=${initial} check=${call} send=${send} onDone=${onStarted} onClose=${onClose}>
		${(field, { values }) => html`
			${field({ name: 'newid', label: 'ID', inputmode: 'numeric' })}
			${field({ name: 'name', label: entry.type === 'lxc' ? 'Host name' : 'Name', errorsOf: 'hostname name', autofocus: true, placeholder: nameOf(entry) })}
			${field({ name: 'snapname', label: 'From', kind: 'select', wide: true, options: [['', 'as it is now'], ...snapshots.map((s) => [s.name, `snapshot ${s.name}`])] })}
			${Boolean(entry.template) && field({ name: 'full', label: 'Copy everything', kind: 'checkbox', wide: true,
				hint: 'Otherwise the clone shares with the template what it does not change; the storage must be able to do that.' })}
			${values.full && field({ name: 'storage', label: 'Copy to', kind: 'select', wide: true, options: [['', 'the same storages'], ...storageOptions(storages)] })}
			<${PoolField} field=${field} wide />
			${field({ name: 'description', label: 'Notes', kind: 'textarea', wide: true })}`}
	<//>`;
}

/** snapshot: the one that is chosen at first. */
export function Clone({ entry, snapshot, onClose }) {
	const [choices, setChoices] = useState(null);
	const [error, setError] = useState('');
	const [started, setStarted] = useState(null);

	useEffect(() => {
		const content = entry.type === 'lxc' ? 'rootdir' : 'images';
		Promise.all([nextId(), readStorages(entry.node, content), api.get(`${guestPath(entry)}/snapshot`).catch(() => [])]).then(([newid, storages, snapshots]) =>
			setChoices({ newid, storages, snapshots: snapshots.filter((s) => s.name !== 'current') }), (e) => setError(e.message));
	}, [entry.id]);
	if (started) {
		const ended = (isGood) => {
			onClose();
			if (isGood)
				go(href('guest', entry.type, started.vmid));
		};
		return html`<${TaskDialog} upid=${started.upid} title=${`Clone ${kindShort(entry.type)} ${entry.vmid}`} onClose=${ended} />`;
	}
	if (!choices)
		return html`<${Dialog} title=${`Clone ${kindName(entry.type).toLowerCase()}`} onClose=${onClose}><div class="empty"><p role="status">${error || 'Loading…'}</p></div><//>`;
	return html`<${CloneForm} entry=${entry} choices=${choices} snapshot=${snapshot} onClose=${onClose} onStarted=${setStarted} />`;
}

/** name of an action → its dialog */
export const DIALOGS = { shutdownWithin: ShutdownWithin, clone: Clone };
