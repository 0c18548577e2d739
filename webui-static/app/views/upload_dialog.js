// SPDX-License-Identifier: GPL-2.0-or-later
// Files that are sent to a storage, one after the other, with their progress. One file is followed to the end of its task; of
// several each stands in a list.
import * as api from '../api.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { bytes, duration, percent } from '../format.js';
import { watchTask } from '../live.js';
import { addSample, leftOf, rateOf } from '../rate.js';
import { href } from '../router.js';
import { Dialog } from '../components/dialog.js';
import { FormDialog } from '../components/form.js';
import { State } from '../components/state.js';
import { TaskDialog, useTaskState } from '../components/task_dialog.js';
import { contentOptions, guessKind, FILE_KINDS } from './storage_kinds.js';
import { Checksum, checksumOf } from './storage_dialogs.js';

const refuse = (name, text) => Object.assign(new Error(text), { fields: { [name]: text } });

function Progress({ file, samples }) {
	const done = samples.length ? samples[samples.length - 1].done : 0;
	const share = file.size ? done / file.size : 1;
	const rate = rateOf(samples), left = leftOf(samples, file.size);
	const parts = [`${percent(share)} of ${bytes(file.size)} sent`, rate !== undefined && `${bytes(rate)}/s`, left !== undefined && `${duration(left)} left`];
	return html`<div class="progress"><progress max="1" value=${share} aria-label=${`Sent of ${file.name}`}></progress>
		<p class="faint" role="status">${share < 1 ? parts.filter(Boolean).join(', ') : 'All is sent. The node looks it over…'}</p></div>`;
}

/** One of several, by what has become of it: waiting, being sent, a task, or failed. */
function Sent({ item, samples }) {
	const { state } = useTaskState(item.upid);
	const shown = item.error ? { tone: 'failed', text: item.error } : item.upid ? state : { tone: 'stopped', text: samples ? 'being sent' : 'waiting' };
	return html`<li><p class="sent-name"><span class="mono">${item.file.name}</span>
		<span class="sent-state"><${State} ...${shown} /></span>${item.upid && html`<a href=${href('task', item.upid)}>Log</a>`}</p>
		${samples && html`<${Progress} file=${item.file} samples=${samples} />`}</li>`;
}

/** All are sent: what their tasks make of them. Closed by itself when all went well. */
function SentDialog({ title, items, onClose }) {
	const [good, setGood] = useState(0);
	useEffect(() => {
		for (const item of items.filter((i) => i.upid))
			watchTask(item.upid, `Upload ${item.file.name}`).then((isGood) => isGood && setGood((n) => n + 1));
	}, []);
	useEffect(() => {
		if (good === items.length)
			onClose(true);
	}, [good]);
	return html`<${Dialog} title=${title} wide onClose=${() => onClose(false)}>
		<div class="dialog-body"><ul class="sent">${items.map((item) => html`<${Sent} key=${item.file.name} item=${item} />`)}</ul></div>
		<footer class="plain"><button type="button" class="main" onClick=${() => onClose(false)}>Close</button></footer><//>`;
}

/** Sends files in their order; tells of each change. A file that fails does not keep the next ones back, an abort does. */
function useSending(node, storage) {
	const [items, setItems] = useState(null);
	const [now, setNow] = useState(null); // { at, samples }: the one that is being sent
	const job = useRef(null), isGone = useRef(false);
	useEffect(() => () => {
		isGone.current = true;
		job.current?.abort();
	}, []);
	const sendOne = (at, { file, name, params }) => {
		let samples = [];
		const put = (share) => {
			samples = addSample(samples, performance.now(), share * file.size);
			setNow({ at, samples });
		};
		put(0);
		job.current = api.upload(api.path('nodes', node, 'storage', storage, 'upload'), params, file, name, put);
		return job.current.done;
	};
	const send = async (list) => {
		const results = list.map(({ file }) => ({ file }));
		for (let at = 0; at < list.length && !isGone.current; at++) {
			setItems([...results]);
			try {
				results[at] = { ...results[at], upid: await sendOne(at, list[at]) };
			} catch (failure) {
				results[at] = { ...results[at], failure, error: Object.values(failure.fields || {})[0] || failure.message };
			}
		}
		setNow(null);
		setItems(null);
		return results;
	};
	return { items, now, send };
}

/** What is sent of the form's values. */
function listOf(v, offered) {
	if (v.files.length === 0)
		throw refuse('file', 'Choose a file.');
	if (v.files.length === 1)
		return [{ file: v.files[0], name: v.filename || v.files[0].name, params: { content: v.content, ...checksumOf(v) } }];
	return v.files.map((file) => ({ file, name: file.name, params: { content: guessKind(file.name, offered) || v.content } }));
}

function Fields({ field, form, offered, items, now }) {
	const isSingle = form.values.files.length < 2;
	const choose = (files) => form.setValues((old) => ({ ...old, files, filename: files[0]?.name || '', content: guessKind(files[0]?.name || '', offered) || old.content }));
	return html`
		${field({ name: 'file', label: 'Files', kind: 'file', multiple: true, wide: true, onValue: choose, disabled: form.isBusy })}
		${field({ name: 'content', label: isSingle ? 'It is a' : 'Where its name does not tell, it is a', kind: 'select', wide: !isSingle, options: contentOptions(offered) })}
		${isSingle && field({ name: 'filename', label: 'Name there' })}
		${isSingle && html`<${Checksum} field=${field} values=${form.values} />`}
		${items && html`<ul class="all sent" aria-label="Files">${items.map((item, n) =>
			html`<${Sent} key=${item.file.name} item=${item} samples=${now?.at === n ? now.samples : undefined} />`)}</ul>`}`;
}

export function UploadDialog({ node, storage, kinds, onClose }) {
	const [sent, setSent] = useState(null);
	const { items, now, send } = useSending(node, storage);
	const offered = FILE_KINDS.filter((k) => kinds.includes(k));
	const title = `Upload to ${storage}`;
	const start = async (v) => {
		const results = await send(listOf(v, offered));
		if (results.length === 1 && results[0].failure)
			throw results[0].failure;
		return results;
	};
	if (sent?.length === 1)
		return html`<${TaskDialog} upid=${sent[0].upid} title=${title} onClose=${onClose} />`;
	if (sent)
		return html`<${SentDialog} title=${title} items=${sent} onClose=${onClose} />`;
	return html`<${FormDialog} title=${title} label=${items ? 'Uploading…' : 'Upload'} wide onDone=${setSent} onClose=${onClose} send=${start}
		initial=${{ files: [], content: offered[0], filename: '', algorithm: '', checksum: '' }}>
		${(field, form) => html`<${Fields} field=${field} form=${form} offered=${offered} items=${items} now=${now} />`}
	<//>`;
}
