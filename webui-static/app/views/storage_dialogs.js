// SPDX-License-Identifier: GPL-2.0-or-later
// Dialogs of a storage's content: files that come in from elsewhere, and what is done with single volumes.
import * as api from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { bytes } from '../format.js';
import { watchTask } from '../live.js';
import { toastError } from '../store.js';
import { readIfThere } from '../components/choices.js';
import { Dialog } from '../components/dialog.js';
import { FormDialog } from '../components/form.js';
import { TaskDialog } from '../components/task_dialog.js';
import { CHECKSUMS, contentOptions, guessKind } from './storage_kinds.js';
import { TemplateMaker } from './template_maker.js';

const pathOf = (node, storage, ...more) => api.path('nodes', node, 'storage', storage, ...more);

export function Checksum({ field, values }) {
	return html`${field({ name: 'algorithm', label: 'Checksum', kind: 'select', options: CHECKSUMS, wide: !values.algorithm, errorsOf: 'checksum-algorithm' })}
		${values.algorithm && field({ name: 'checksum', label: 'It must be', placeholder: 'hexadecimal' })}`;
}
export const checksumOf = (v) => (v.algorithm ? { checksum: v.checksum, 'checksum-algorithm': v.algorithm } : {});

/** Pure. */
export function downloadParams(v) {
	return {
		url: v.url.trim(), content: v.content, filename: v.filename, ...checksumOf(v), compression: v.compression || undefined,
		'verify-certificates': v.verify ? undefined : 0,
	};
}

function Metadata({ node, form, offered }) {
	const [told, setTold] = useState('');
	const ask = async () => {
		setTold('Asking the server…');
		try {
			const found = await api.get(api.path('nodes', node, 'query-url-metadata'), { url: form.values.url.trim(), 'verify-certificates': form.values.verify ? undefined : 0 });
			const filename = form.values.filename || found.filename || '';
			form.setValues((old) => ({ ...old, filename, content: guessKind(filename, offered) || old.content }));
			setTold([found.filename, bytes(found.size), found.mimetype].filter((t) => t && t !== '–').join(', ') || 'The server says nothing of it.');
		} catch (error) {
			setTold(Object.values(error.fields)[0] || error.message);
		}
	};
	return html`<p class="all lookup"><button type="button" disabled=${!form.values.url} onClick=${ask}>Ask for name and size</button> <span class="faint" role="status">${told}</span></p>`;
}

const COMPRESSIONS = [['', 'keep it as it is'], ['gz', 'gzip'], ['xz', 'xz'], ['zst', 'zstd'], ['bz2', 'bzip2']];

export function DownloadDialog({ node, storage, kinds, onClose }) {
	const [upid, setUpid] = useState(null);
	const offered = kinds.filter((k) => ['iso', 'vztmpl', 'import'].includes(k));
	const call = (v) => ({ method: 'POST', path: pathOf(node, storage, 'download-url'), params: downloadParams(v) });
	if (upid)
		return html`<${TaskDialog} upid=${upid} title=${`Download to ${storage}`} onClose=${onClose} />`;
	return html`<${FormDialog} title=${`Download to ${storage}`} label="Download" wide check=${call} send=${(v) => api.post(call(v).path, call(v).params)} onDone=${setUpid} onClose=${onClose}
		initial=${{ url: '', content: offered[0], filename: '', algorithm: '', checksum: '', compression: '', verify: true }}>
		${(field, form) => html`
			${field({ name: 'url', label: 'Address', kind: 'url', placeholder: 'https://…', wide: true, autofocus: true })}
			<${Metadata} node=${node} form=${form} offered=${offered} />
			${field({ name: 'content', label: 'It is a', kind: 'select', options: contentOptions(offered) })}
			${field({ name: 'filename', label: 'Name there' })}
			<${Checksum} field=${field} values=${form.values} />
			${form.values.content === 'iso' && field({ name: 'compression', label: 'Unpack', kind: 'select', options: COMPRESSIONS, wide: true })}
			${field({ name: 'verify', label: 'Refuse servers whose certificate is not valid', kind: 'checkbox', wide: true, errorsOf: 'verify-certificates' })}`}
	<//>`;
}

/** Templates that the node makes by itself. */
export function MakeTemplates({ node, storage, onClose }) {
	const [recipes, setRecipes] = useState(null);
	useEffect(() => { readIfThere(node, 'aplinfo').then((list) => setRecipes(list || [])); }, []);
	return html`<${Dialog} title=${`Make a template on ${storage}`} wide onClose=${onClose}><div class="dialog-body">
		${!recipes ? html`<p>Loading…</p>` : recipes.length
			? html`<${TemplateMaker} node=${node} recipes=${recipes} storages=${[{ storage }]} onMade=${() => {}} />`
			: html`<p>This node cannot make templates: it needs mmdebstrap.</p>`}</div>
		<footer class="plain"><button type="button" onClick=${onClose}>Close</button></footer><//>`;
}

export function DeleteVolume({ node, storage, volume, onClose }) {
	const send = async () => {
		const upid = await api.del(pathOf(node, storage, 'content', volume.volid));
		if (upid)
			watchTask(upid, `Delete ${volume.volid}`);
	};
	return html`<${FormDialog} title="Delete this volume?" label="Delete" danger initial=${{}} send=${send} onClose=${onClose}>
		${() => html`<p class="all mono">${volume.volid}</p><p class="all">It is deleted with all that is on it. There is no way back.</p>`}
	<//>`;
}

/** The list has the first line of the notes alone. */
export function DescribeVolume({ node, storage, volume, onClose }) {
	const path = pathOf(node, storage, 'content', volume.volid);
	const [now, setNow] = useState(null);
	useEffect(() => {
		api.get(path).then(setNow, (error) => {
			toastError(error, 'Notes and protection');
			onClose();
		});
	}, [path]);
	if (!now)
		return null;
	const notes = now.notes || '';
	const send = (v) => api.put(path, { notes: v.notes === notes ? undefined : v.notes, protected: v.protected });
	return html`<${FormDialog} title="Notes and protection" initial=${{ notes, protected: Boolean(now.protected) }} send=${send} onClose=${onClose}>
		${(field) => html`<p class="all mono">${volume.volid}</p>
			${field({ name: 'notes', label: 'Notes', kind: 'textarea', wide: true, autofocus: true })}
			${field({ name: 'protected', label: 'It cannot be removed', kind: 'checkbox', wide: true })}`}
	<//>`;
}
