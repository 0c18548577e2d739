// SPDX-License-Identifier: GPL-2.0-or-later
// A guest's configuration in groups: each key with its value, what waits for the next start, and what can be done with it.
import * as api from '../api.js';
import { ACTIONS, act, guestPath } from '../actions.js';
import { html, useRef, useState } from '../html.js';
import { isOn, parse } from '../propstring.js';
import { toastError, useStore } from '../store.js';
import { Icon } from '../components/icon.js';
import { useKeptFocus } from '../components/kept_focus.js';
import { useConfig } from '../components/use_config.js';
import { DeviceDialog, FeaturesDialog, NetDialog, RemoveDialog, ValueDialog } from './config_dialogs.js';
import { NO_FIREWALL } from './ct_net.js';
import { defaultOf, freeKey, isMedium, keyOf, labelOf, needsOf, rowsOf, wordsOf } from './config_keys.js';
import { HookDialog, StartupDialog } from './config_options.js';
import { AttachDialog, GrowDialog, MountDialog, MoveDialog, RootDialog } from './config_volumes.js';

const GROUPS = [['resources', 'Resources'], ['network', 'Network'], ['options', 'Options']];
const isBind = (value) => /^\//.test(value);

/** What can be done with a row: { label, icon, dialog }. of: keys; not: values. */
const EDIT = { label: 'Change', icon: 'edit' };
const ROW_ACTIONS = [
	{ ...EDIT, of: /^net\d/, type: 'lxc', dialog: NetDialog },
	{ ...EDIT, of: /^features$/, dialog: FeaturesDialog },
	{ ...EDIT, of: /^dev\d/, dialog: DeviceDialog },
	{ ...EDIT, of: /^mp\d/, dialog: MountDialog },
	{ ...EDIT, of: /^rootfs$/, dialog: RootDialog },
	{ ...EDIT, of: /^startup$/, dialog: StartupDialog },
	{ ...EDIT, of: /^hookscript$/, dialog: HookDialog },
	{ label: 'Attach', icon: 'attach', of: /^unused\d/, type: 'lxc', dialog: AttachDialog },
	{ label: 'Grow', icon: 'grow', of: /^(rootfs|(mp|scsi|virtio|sata|ide)\d.*)$/, not: (v) => isBind(v) || isMedium(v), dialog: GrowDialog },
	{ label: 'Move', icon: 'move', of: /^(rootfs|(mp|unused|scsi|virtio|sata|ide)\d.*)$/, not: (v) => isBind(v) || isMedium(v), dialog: MoveDialog },
	{ label: 'Detach', icon: 'detach', of: /^(mp|scsi|virtio|sata|ide)\d/, not: isBind, dialog: RemoveDialog },
	{ label: 'Remove', icon: 'destroy', of: /^(net|dev)\d/, dialog: RemoveDialog },
	{ label: 'Remove', icon: 'destroy', of: /^mp\d/, not: (v) => !isBind(v), dialog: RemoveDialog },
	{ label: 'Delete', icon: 'destroy', of: /^unused\d/, dialog: RemoveDialog },
];
const ADDS = { resources: [['mp', 'Add mount point', MountDialog], ['dev', 'Add device', DeviceDialog]], network: [['net', 'Add network card', NetDialog]] };

const mayChange = (may, item) => needsOf(item.key, item.value, item.pending).every(may);

function actionsOf(item, type, may) {
	if (!mayChange(may, item))
		return [];
	const known = keyOf(item.key), value = String(item.pending ?? item.value ?? '');
	if (known.field)
		return [{ ...EDIT, dialog: ValueDialog }];
	if (item.delete)
		return []; // it goes
	return ROW_ACTIONS.filter((a) => a.of.test(item.key) && (!a.type || a.type === type) && !a.not?.(value));
}

const isWaiting = (item) => item.pending !== undefined || Boolean(item.delete);

function Value({ item, type, may, onRevert }) {
	const shown = item.value ?? '';
	const isOpen = /^net\d/.test(item.key) && isOn(parse(item.pending ?? item.value).firewall);
	return html`<td class="value mono">${shown === '' ? html`<span class="faint">${isWaiting(item) ? 'not set' : defaultOf(item.key, type)}</span>` : wordsOf(item.key, shown)}
		${isWaiting(item) && html`<p class="pending">${item.delete ? 'Removed' : html`Becomes <b>${wordsOf(item.key, item.pending)}</b>`} at the next start
			${mayChange(may, item) && html`<button type="button" class="quiet small" aria-label=${`Revert ${labelOf(item.key).toLowerCase()}`} onClick=${() => onRevert([item.key])}><${Icon} name="revert" />Revert</button>`}</p>`}
		${isOpen && html`<p class="note">${NO_FIREWALL}</p>`}</td>`;
}

function Row({ item, type, may, onOpen, onRevert }) {
	return html`<tr data-key=${item.key}>
		<th scope="row">${labelOf(item.key)}</th>
		<${Value} item=${item} type=${type} may=${may} onRevert=${onRevert} />
		<td class="edit">${actionsOf(item, type, may).map((a) => html`<button type="button" key=${a.label} class="quiet square" aria-label=${`${a.label} ${labelOf(item.key).toLowerCase()}`}
			title=${a.label} onClick=${() => onOpen(a.dialog, item.key)}><${Icon} name=${a.icon} /></button>`)}</td>
	</tr>`;
}

function Group({ title, rows, adds, type, onAdd, ...more }) {
	const ref = useRef(null);

	useKeptFocus(ref);
	return html`<section class="panel"><div class="table-tools"><h2>${title}</h2><span class="grow"></span>${adds.map(([stem, label, dialog]) =>
		html`<button type="button" key=${stem} onClick=${() => onAdd(dialog, stem)}><${Icon} name="plus" />${label}</button>`)}</div>
		<table class="config" ref=${ref} tabindex="-1" aria-label=${title}><thead class="unseen"><tr><th>Key</th><th>Value</th><th>Change</th></tr></thead>
			<tbody>${rows.map((i) => html`<${Row} key=${i.key} item=${i} type=${type} ...${more} />`)}</tbody></table></section>`;
}

/** What waits for the next start, all in one place, and how to have it or not. */
function Waiting({ entry, items, may, onRevert }) {
	const waiting = items.filter(isWaiting), keys = waiting.map((i) => i.key);
	const [isAsked, setAsked] = useState(false);
	const isBusy = useStore((s) => s.tasks.some((t) => !t.endtime && t.id === String(entry.vmid) && t.type !== 'vncproxy'));
	const reboot = ACTIONS.find((a) => a.name === 'reboot');
	const now = async () => {
		setAsked(true);
		await act(reboot, entry);
		setAsked(false);
	};
	return keys.length > 0 && html`<section class="panel pad waiting-changes" role="region" aria-label="Waiting changes">
		<p>${keys.length === 1 ? 'One change waits' : `${keys.length} changes wait`} for the next start: ${keys.map(labelOf).join(', ')}.</p>
		<p class="buttons">${reboot.is(entry) && may(reboot.needs) && html`<button type="button" disabled=${isAsked || isBusy} onClick=${now}><${Icon} name="reboot" />Reboot now</button>`}
			${waiting.every((i) => mayChange(may, i)) && html`<button type="button" onClick=${() => onRevert(keys)}><${Icon} name="revert" />Revert ${keys.length === 1 ? 'it' : 'all'}</button>`}</p></section>`;
}

export function GuestConfig({ entry, may }) {
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
		const isGone = keyOf(editing.name).stem && !editing.stem && now[editing.name] === undefined;
		if (isGone) // what would be stored is another one of that name
			throw new Error(`Somebody else removed ${labelOf(editing.name).toLowerCase()} meanwhile.`);
		setEditing((old) => ({ ...old, config: now, name: old.stem && now[old.name] ? freeKey(old.stem, Object.keys(now).map((key) => ({ key }))) : old.name }));
		reload();
	};
	const revert = async (keys) => {
		try {
			await api.put(`${guestPath(entry)}/config`, { revert: keys.join(','), digest });
		} catch (failure) {
			toastError(failure, `Revert ${keys.map(labelOf).join(', ').toLowerCase()}`);
		}
		reload();
	};
	return html`<${Waiting} entry=${entry} items=${items} may=${may} onRevert=${revert} />
		${GROUPS.map(([group, title]) => html`<${Group} key=${group} title=${title} type=${entry.type} rows=${rowsOf(items, entry.type, group)}
			adds=${entry.type === 'lxc' && ADDS[group]?.filter(([stem]) => needsOf(`${stem}0`).every(may)) || []} may=${may} onOpen=${(dialog, key) => show(dialog, key)}
			onAdd=${(dialog, stem) => show(dialog, free(stem), stem)} onRevert=${revert} />`)}
		${editing && html`<${editing.dialog} entry=${entry} name=${editing.name} config=${editing.config} items=${items} free=${free}
			onClose=${close} onReload=${fresh} />`}`;
}
