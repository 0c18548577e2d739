// SPDX-License-Identifier: GPL-2.0-or-later
// Dialogs for a guest's volumes: mount points, growing, moving.
import * as api from '../api.js';
import { guestPath } from '../actions.js';
import { html, useEffect, useState } from '../html.js';
import { isGuest, kindShort, nameOf } from '../format.js';
import { format, isOn, parse } from '../propstring.js';
import { watchTask } from '../live.js';
import { getState } from '../store.js';
import { readStorages, storageOptions } from '../components/choices.js';
import { MoreFields, OPEN_CHOICE } from '../components/create_fields.js';
import { FormDialog } from '../components/form.js';
import { change } from './config_dialogs.js';
import { labelOf } from './config_keys.js';

const FOLDER = '/'; // no storage is called so
const content = (entry) => (entry.type === 'lxc' ? 'rootdir' : 'images');

function useStorages(entry) {
	const [storages, setStorages] = useState([]);
	useEffect(() => { readStorages(entry.node, content(entry)).then(setStorages, () => {}); }, []);
	return storages;
}

/* parts that few need: [name, label, hint]; a mount point's and the root disk's, and a new volume's */
const MORE = [
	['replicate', 'Taken along by replication', ''], ['shared', 'The same on all nodes', 'Nobody but you can know.'], ['quota', 'User quotas inside', 'Kept, without effect.'],
];
const KEEP = ['keepattrs', 'Owner and mode of the folder it is mounted on', 'For a new volume.'];
const moreOf = (list, old) => Object.fromEntries(list.map(([name]) => [name, old[name] ?? '']));

const More = ({ list, field, values, of }) => html`<${MoreFields} isOpen=${list.some(([name]) => values[name])}>${list.map(([name, label, hint]) =>
	field({ name, label, hint, kind: 'select', options: OPEN_CHOICE, errorsOf: `${of}.${name}` }))}<//>`;

/** Pure. volume: the one that is there already. */
export function mountParts(v, volume, old = {}) {
	const made = v.storage === FOLDER ? v.folder.trim() || FOLDER : `${v.storage}:${v.size}`;
	const more = [...MORE, KEEP].filter(([name]) => name in v).map(([name]) => [name, v[name]]);
	return { ...old, volume: volume || made, mp: v.mp, ro: v.ro, backup: v.backup, mountoptions: v.mountoptions, acl: v.acl, ...Object.fromEntries(more) };
}

/** A mount point, new or there already. volume: one that is unused now. */
export function MountDialog({ name, volume, onClose, onReload, ...of }) {
	const storages = useStorages(of.entry);
	const old = parse(of.config[name], 'volume');
	const there = volume || old.volume;
	const first = storages[0]?.storage || '';
	const more = there ? MORE : [...MORE, KEEP];
	const initial = { storage: '', size: '8', folder: '', mp: old.mp ?? '', ro: isOn(old.ro), backup: isOn(old.backup), mountoptions: old.mountoptions ?? '', acl: old.acl ?? '', ...moreOf(more, old) };
	const params = (v) => ({ [name]: format(name, mountParts({ ...v, storage: v.storage || first }, there, old), 'volume') });
	const error = (part) => `${name}.${part}`;
	return html`<${FormDialog} title=${`${labelOf(name)} of ${of.entry.vmid}`} wide initial=${initial} ...${change(of, params)} onClose=${onClose} onReload=${onReload}>
		${(field, { values }) => html`
			${there ? html`<p class="all mono">${there}</p>` : html`
				${field({ name: 'storage', label: 'On', kind: 'select', value: values.storage || first, errorsOf: `${name}.volume`, wide: values.storage === FOLDER,
					options: [...storageOptions(storages), [FOLDER, 'a folder of the node (bind mount)']] })}
				${values.storage === FOLDER ? field({ name: 'folder', label: 'Folder of the node', placeholder: '/srv/data', wide: true, errorsOf: error('folder'),
					hint: 'The container sees what is in there. Root only.' })
					: field({ name: 'size', label: 'Size', kind: 'number', min: 0, step: 'any', unit: 'GiB', errorsOf: error('size') })}`}
			${field({ name: 'mp', label: 'Mounted inside on', placeholder: '/data', wide: true, errorsOf: `${error('mp')} ${name}`, autofocus: Boolean(there) })}
			${field({ name: 'ro', label: 'Read-only', kind: 'checkbox', errorsOf: error('ro') })}
			${field({ name: 'backup', label: 'Taken along by backups', kind: 'checkbox', errorsOf: error('backup') })}
			${field({ name: 'acl', label: 'Access control lists', kind: 'select', errorsOf: error('acl'), options: OPEN_CHOICE })}
			${field({ name: 'mountoptions', label: 'Mount options', placeholder: 'noatime;nosuid', errorsOf: error('mountoptions') })}
			<${More} list=${more} field=${field} values=${values} of=${name} />`}
	<//>`;
}

/** The unused volume of the row as a mount point. */
export function AttachDialog({ name, free, ...more }) {
	return html`<${MountDialog} ...${more} name=${free('mp')} volume=${more.config[name]} />`;
}

/** The root disk's own options. */
export function RootDialog({ name, onClose, onReload, ...of }) {
	const old = parse(of.config[name], 'volume');
	const initial = { ro: isOn(old.ro), mountoptions: old.mountoptions ?? '', acl: old.acl ?? '', ...moreOf(MORE, old) };
	return html`<${FormDialog} title=${`Root disk of ${of.entry.vmid}`} initial=${initial} onClose=${onClose} onReload=${onReload}
		...${change(of, (v) => ({ [name]: format(name, { ...old, ...v }, 'volume') }))}>
		${(field, { values }) => html`<p class="all mono">${old.volume}</p>
			${field({ name: 'acl', label: 'Access control lists', kind: 'select', errorsOf: 'rootfs.acl', options: OPEN_CHOICE })}
			${field({ name: 'mountoptions', label: 'Mount options', placeholder: 'noatime', errorsOf: 'rootfs.mountoptions rootfs' })}
			${field({ name: 'ro', label: 'Read-only', kind: 'checkbox', wide: true, errorsOf: 'rootfs.ro' })}
			<${More} list=${MORE} field=${field} values=${values} of="rootfs" />`}
	<//>`;
}

export function GrowDialog({ entry, name, config, onClose, onReload }) {
	const { size } = parse(config[name], 'volume');
	const call = ({ more }) => ({ method: 'PUT', path: `${guestPath(entry)}/resize`, params: { disk: name, size: `+${more}G`, digest: config.digest } });
	const send = async (values) => {
		const { path, params } = call(values);
		watchTask(await api.put(path, params), `Grow ${name} of ${kindShort(entry.type)} ${entry.vmid}`);
	};
	return html`<${FormDialog} title=${`Grow ${labelOf(name).toLowerCase()} of ${entry.vmid}`} label="Grow" initial=${{ more: '1' }} version=${config.digest} check=${call} send=${send}
		onClose=${onClose} onReload=${onReload}>
		${(field) => html`<p class="all">It has ${size || 'an unknown size'} now. It can grow, not shrink.</p>
			${field({ name: 'more', label: 'Grow by', kind: 'number', min: 0, step: 'any', unit: 'GiB', errorsOf: 'size disk', wide: true, autofocus: true })}`}
	<//>`;
}

const MOVES = { lxc: { path: 'move_volume', what: 'volume', target: 'target-volume' }, qemu: { path: 'move_disk', what: 'disk', target: 'target-disk' } };

/** Pure. */
export function moveParams(type, name, v, digest) {
	const { what, target } = MOVES[type];
	return v.to === 'guest'
		? { [what]: name, 'target-vmid': v.vmid, [target]: v.key || undefined, digest }
		: { [what]: name, storage: v.storage, delete: v.remove ? 1 : undefined, digest };
}

export function MoveDialog({ entry, name, config, onClose, onReload }) {
	const storages = useStorages(entry).filter((s) => s.storage !== parse(config[name], 'volume').volume?.split(':')[0]);
	const guests = Object.values(getState().resources).filter((e) => isGuest(e) && e.type === entry.type && e.id !== entry.id && e.node === entry.node);
	const full = (v) => ({ ...v, storage: v.storage || storages[0]?.storage, vmid: v.vmid || guests[0]?.vmid });
	const call = (v) => ({ method: 'POST', path: `${guestPath(entry)}/${MOVES[entry.type].path}`, params: moveParams(entry.type, name, full(v), config.digest) });
	const send = async (values) => {
		const { path, params } = call(values);
		watchTask(await api.post(path, params), `Move ${name} of ${kindShort(entry.type)} ${entry.vmid}`);
	};
	const { what, target } = MOVES[entry.type];
	const isRoot = name === 'rootfs';
	return html`<${FormDialog} title=${`Move ${labelOf(name).toLowerCase()} of ${entry.vmid}`} label="Move" initial=${{ to: 'storage', storage: '', vmid: '', key: '', remove: true }}
		version=${config.digest} check=${call} send=${send} onClose=${onClose} onReload=${onReload}>
		${(field, { values }) => html`
			${!isRoot && guests.length > 0 && field({ name: 'to', label: 'To', kind: 'select', wide: true, options: [['storage', 'another storage'], ['guest', 'another guest']] })}
			${values.to === 'guest' ? html`
				${field({ name: 'vmid', label: 'Guest', kind: 'select', value: full(values).vmid, errorsOf: 'target-vmid', options: guests.map((g) => [g.vmid, `${g.vmid} ${nameOf(g)}`]) })}
				${field({ name: 'key', label: 'There it is', placeholder: name, errorsOf: target })}` : html`
				${field({ name: 'storage', label: 'Storage', kind: 'select', wide: true, value: full(values).storage ?? '', errorsOf: `storage ${what}`, options: storages.length ? storageOptions(storages) : [['', 'no other one']] })}
				${field({ name: 'remove', label: 'Delete the old volume afterwards', kind: 'checkbox', wide: true, errorsOf: 'delete', hint: values.remove ? '' : 'It stays as an unused one.' })}`}`}
	<//>`;
}
