// SPDX-License-Identifier: GPL-2.0-or-later
// A guest's configuration in groups: each key with its value, what waits for the next start, and what can be done with it.
import * as api from '../api.js';
import { guestPath } from '../actions.js';
import { html, useState } from '../html.js';
import { isOn, parse } from '../propstring.js';
import { toastError } from '../store.js';
import { Icon } from '../components/icon.js';
import { useConfig } from '../components/use_config.js';
import { DeviceDialog, FeaturesDialog, NetDialog, NO_FIREWALL, RemoveDialog, ValueDialog } from './config_dialogs.js';
import { freeKey, keyOf, labelOf, rowsOf } from './config_keys.js';
import { AttachDialog, GrowDialog, MountDialog, MoveDialog, RootDialog } from './config_volumes.js';

const GROUPS = [['resources', 'Resources'], ['network', 'Network'], ['options', 'Options']];
const isBind = (value) => /^\//.test(value);
const isMedium = (value) => /media=cdrom/.test(value);

/** What can be done with a row: { label, icon, dialog }. of: keys; not: values. */
const EDIT = { label: 'Change', icon: 'edit' };
const ROW_ACTIONS = [
	{ ...EDIT, of: /^net\d/, type: 'lxc', dialog: NetDialog },
	{ ...EDIT, of: /^features$/, dialog: FeaturesDialog },
	{ ...EDIT, of: /^dev\d/, dialog: DeviceDialog },
	{ ...EDIT, of: /^mp\d/, dialog: MountDialog },
	{ ...EDIT, of: /^rootfs$/, dialog: RootDialog },
	{ label: 'Attach', icon: 'attach', of: /^unused\d/, type: 'lxc', dialog: AttachDialog },
	{ label: 'Grow', icon: 'grow', of: /^(rootfs|(mp|scsi|virtio|sata|ide)\d.*)$/, not: (v) => isBind(v) || isMedium(v), dialog: GrowDialog },
	{ label: 'Move', icon: 'move', of: /^(rootfs|(mp|unused|scsi|virtio|sata|ide)\d.*)$/, not: (v) => isBind(v) || isMedium(v), dialog: MoveDialog },
	{ label: 'Detach', icon: 'detach', of: /^(mp|scsi|virtio|sata|ide)\d/, not: isBind, dialog: RemoveDialog },
	{ label: 'Remove', icon: 'destroy', of: /^(net|dev)\d/, dialog: RemoveDialog },
	{ label: 'Remove', icon: 'destroy', of: /^mp\d/, not: (v) => !isBind(v), dialog: RemoveDialog },
	{ label: 'Delete', icon: 'destroy', of: /^unused\d/, dialog: RemoveDialog },
];
const ADDS = { resources: [['mp', 'Add mount point', MountDialog], ['dev', 'Add device', DeviceDialog]], network: [['net', 'Add network card', NetDialog]] };

function actionsOf(item, type) {
	const known = keyOf(item.key), value = String(item.pending ?? item.value ?? '');
	if (known.field)
		return [{ ...EDIT, dialog: ValueDialog }];
	if (item.delete)
		return []; // it goes
	return ROW_ACTIONS.filter((a) => a.of.test(item.key) && (!a.type || a.type === type) && !a.not?.(value));
}

function Value({ item, onRevert }) {
	const shown = item.value ?? '';
	const isWaiting = item.pending !== undefined || item.delete;
	const isOpen = /^net\d/.test(item.key) && isOn(parse(item.pending ?? item.value).firewall);
	return html`<td class="value mono">${shown === '' ? html`<span class="faint">${isWaiting ? 'not set' : 'default'}</span>` : String(shown)}
		${isWaiting && html`<p class="pending">${item.delete ? 'Removed' : html`Becomes <b>${String(item.pending)}</b>`} at the next start
			<button type="button" class="quiet small" aria-label=${`Revert ${labelOf(item.key).toLowerCase()}`} onClick=${() => onRevert(item.key)}><${Icon} name="revert" />Revert</button></p>`}
		${isOpen && html`<p class="note">${NO_FIREWALL}</p>`}</td>`;
}

function Row({ item, type, onOpen, onRevert }) {
	return html`<tr data-key=${item.key}>
		<th scope="row">${labelOf(item.key)}</th>
		<${Value} item=${item} onRevert=${onRevert} />
		<td class="edit">${actionsOf(item, type).map((a) => html`<button type="button" key=${a.label} class="quiet square" aria-label=${`${a.label} ${labelOf(item.key).toLowerCase()}`}
			title=${a.label} onClick=${() => onOpen(a.dialog, item.key)}><${Icon} name=${a.icon} /></button>`)}</td>
	</tr>`;
}

function Group({ title, rows, adds, type, onAdd, ...more }) {
	return html`<section class="panel"><div class="table-tools"><h2>${title}</h2><span class="grow"></span>${adds.map(([stem, label, dialog]) =>
		html`<button type="button" key=${stem} onClick=${() => onAdd(dialog, stem)}><${Icon} name="plus" />${label}</button>`)}</div>
		<table class="config" aria-label=${title}><thead class="unseen"><tr><th>Key</th><th>Value</th><th>Change</th></tr></thead>
			<tbody>${rows.map((i) => html`<${Row} key=${i.key} item=${i} type=${type} ...${more} />`)}</tbody></table></section>`;
}

export function GuestConfig({ entry }) {
	const { items, config, digest, error, reload } = useConfig(entry);
	const [editing, setEditing] = useState(null);
	if (!items)
		return html`<div class="empty"><p>${error || 'Loading…'}</p></div>`;
	const free = (stem) => freeKey(stem, items);
	const show = (dialog, name, stem) => setEditing({ dialog, name, stem, config });
	const close = () => {
		setEditing(null);
		reload();
	};
	const fresh = async () => { // the dialog stays, upon what is stored now; what it adds gets a key that is still free
		const now = await api.get(`${guestPath(entry)}/config`);
		setEditing((old) => ({ ...old, config: now, name: old.stem && now[old.name] ? freeKey(old.stem, Object.keys(now).map((key) => ({ key }))) : old.name }));
		reload();
	};
	const revert = async (key) => {
		try {
			await api.put(`${guestPath(entry)}/config`, { revert: key, digest });
		} catch (failure) {
			toastError(failure, `Revert ${labelOf(key).toLowerCase()}`);
		}
		reload();
	};
	return html`${GROUPS.map(([group, title]) => html`<${Group} key=${group} title=${title} type=${entry.type} rows=${rowsOf(items, entry.type, group)}
			adds=${entry.type === 'lxc' && ADDS[group] || []} onOpen=${(dialog, key) => show(dialog, key)}
			onAdd=${(dialog, stem) => show(dialog, free(stem), stem)} onRevert=${revert} />`)}
		${editing && html`<${editing.dialog} entry=${entry} name=${editing.name} config=${editing.config} items=${items} free=${free}
			onClose=${close} onReload=${fresh} />`}`;
}
