// SPDX-License-Identifier: GPL-2.0-or-later
// Definitions of storages: added, changed, removed. They are the same on all nodes.
import * as api from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { go } from '../router.js';
import { Dialog } from '../components/dialog.js';
import { FormDialog } from '../components/form.js';
import { CONTENTS } from './storage_kinds.js';

const TYPES = [['dir', 'Folder'], ['btrfs', 'Folder on btrfs (snapshots, fast clones)']];
const KINDS = Object.keys(CONTENTS);
const kindField = (kind) => `content-${kind}`;

/** Pure. What the fields show of a definition; of none: of a new one. */
export function definitionValues(d) {
	const content = (d ? d.content || '' : 'images,rootdir,iso,vztmpl').split(',');
	return {
		storage: d?.storage || '', type: d?.type || 'dir', path: d?.path || '', nodes: d?.nodes || '', shared: Boolean(d?.shared), enabled: !d?.disable,
		mounted: d?.is_mountpoint || '', nocow: Boolean(d?.nocow), ...Object.fromEntries(KINDS.map((k) => [kindField(k), content.includes(k)])),
	};
}

/** Pure. For POST, and without what is fixed then for PUT. */
export function definitionParams(v, old) {
	const content = KINDS.filter((k) => v[kindField(k)]).join(',') || 'none';
	const isSet = (key) => old && old[key] !== undefined;
	const gone = ['nodes', 'is_mountpoint'].filter((key) => isSet(key) && !({ nodes: v.nodes, is_mountpoint: v.mounted })[key]);
	const both = {
		content, nodes: v.nodes || undefined, is_mountpoint: v.mounted || undefined, shared: v.shared || isSet('shared') ? v.shared : undefined,
		disable: !v.enabled || isSet('disable') ? !v.enabled : undefined, nocow: v.type === 'btrfs' && (v.nocow || isSet('nocow')) ? v.nocow : undefined,
	};
	return old ? { ...both, delete: gone.join(',') || undefined, digest: old.digest } : { storage: v.storage, type: v.type, path: v.path, ...both };
}

function Fields({ field, values, isNew }) {
	return html`
		${isNew && field({ name: 'storage', label: 'Name', placeholder: 'fast', autofocus: true })}
		${isNew && field({ name: 'type', label: 'Type', kind: 'select', options: TYPES })}
		${isNew && field({ name: 'path', label: 'Folder', placeholder: '/srv/lodge', wide: true, hint: 'Is made if it is not there.' })}
		<fieldset class="all kinds"><legend>For</legend>${KINDS.map((k, n) =>
			field({ name: kindField(k), label: CONTENTS[k], kind: 'checkbox', errorsOf: n ? '' : 'content' }))}</fieldset>
		${field({ name: 'nodes', label: 'Only on nodes', placeholder: 'all' })}
		${field({ name: 'mounted', label: 'Must be mounted', placeholder: 'no', errorsOf: 'is_mountpoint', hint: 'yes, or the path of the mount: nothing is written while it is missing.' })}
		${field({ name: 'shared', label: 'The same content on all nodes', kind: 'checkbox', wide: true })}
		${values.type === 'btrfs' && field({ name: 'nocow', label: 'Images without copy on write', kind: 'checkbox', wide: true })}
		${field({ name: 'enabled', label: 'Switched on', kind: 'checkbox', wide: true, errorsOf: 'disable' })}`;
}

function Definition({ old, onClose, onReload }) {
	const call = (v) => (old ? { method: 'PUT', path: api.path('storage', old.storage), params: definitionParams(v, old) }
		: { method: 'POST', path: '/storage', params: definitionParams(v) });
	const send = (v) => (old ? api.put : api.post)(call(v).path, call(v).params);
	return html`<${FormDialog} title=${old ? `Storage ${old.storage}` : 'Add storage'} label=${old ? 'Save' : 'Add'} wide initial=${definitionValues(old)} version=${old?.digest}
		check=${call} send=${send} onClose=${onClose} onReload=${onReload}>
		${(field, { values }) => html`<${Fields} field=${field} values=${values} isNew=${!old} />
			${old && html`<p class="all hint">${old.type === 'btrfs' ? 'btrfs' : 'Folder'}: <span class="mono">${old.path}</span></p>`}`}
	<//>`;
}

/** storage: undefined for a new one. */
export function DefinitionDialog({ storage, onClose }) {
	const [old, setOld] = useState(null);
	const [error, setError] = useState('');
	const read = () => api.get(api.path('storage', storage)).then(setOld);
	useEffect(() => {
		if (storage)
			read().catch((e) => setError(e.message));
	}, []);
	if (storage && !old)
		return html`<${Dialog} title=${`Storage ${storage}`} onClose=${onClose}><div class="empty"><p role="status">${error || 'Loading…'}</p></div><//>`;
	return html`<${Definition} old=${old} onClose=${onClose} onReload=${read} />`;
}

export function UndefineDialog({ storage, onClose }) {
	const send = () => api.del(api.path('storage', storage));
	const done = () => {
		onClose();
		go('#/');
	};
	return html`<${FormDialog} title=${`Remove storage ${storage}?`} label="Remove" danger initial=${{}} send=${send} onClose=${onClose} onDone=${done}>
		${() => html`<p class="all">Only its definition goes, on all nodes; what lies there stays. Guests with volumes on it cannot start until it is defined again.</p>`}
	<//>`;
}
