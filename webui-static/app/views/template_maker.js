// SPDX-License-Identifier: GPL-2.0-or-later
// Templates that the node can make by itself, and their making with its log.
import * as api from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { watchTask } from '../live.js';
import { readFiles } from '../components/choices.js';
import { TaskLog, useTaskState } from '../components/task_dialog.js';

/** One that is being made; told when it is there. */
function Making({ node, upid, volid, onMade }) {
	const { isRunning, isGood } = useTaskState(upid);
	const [isChosen, setChosen] = useState(false);
	useEffect(() => { watchTask(upid, 'Make a template'); }, [upid]);
	useEffect(() => {
		if (isGood)
			readFiles(node, 'vztmpl').then((files) => {
				onMade(volid, files);
				setChosen(true);
			}, () => {});
	}, [isGood]);
	return html`<div class="making"><p>${isRunning ? 'The template is being made. This may take some minutes.' : isGood ? (isChosen ? 'The template is made and chosen.' : 'The template is made.') : 'The template was not made.'}</p>
		<${TaskLog} upid=${upid} /></div>`;
}

/** recipes: as in GET …/aplinfo. @param {{node: string, recipes: object[], storages: object[], onMade: (volid: string, files: object[]) => void}} props */
export function TemplateMaker({ node, recipes, storages, onMade }) {
	const [storage, setStorage] = useState(storages[0]?.storage);
	const [job, setJob] = useState(null);
	const [error, setError] = useState('');
	const { isRunning } = useTaskState(job?.upid);
	const make = (template) => async () => {
		setError('');
		try {
			const upid = await api.post(api.path('nodes', node, 'aplinfo'), { storage, template });
			setJob({ upid, volid: `${storage}:vztmpl/${template}` });
		} catch (failure) {
			setError(Object.values(failure.fields)[0] || failure.message);
		}
	};
	if (!recipes.length || !storage)
		return storage ? null : html`<p class="hint">No storage of this node is for templates: add one, or change one, in the node’s view.</p>`;
	return html`<fieldset class="maker"><legend>This node can make</legend>
		${storages.length > 1 && html`<label>on <select value=${storage} onChange=${(e) => setStorage(e.target.value)}>
			${storages.map((s) => html`<option key=${s.storage} value=${s.storage}>${s.storage}</option>`)}</select></label>`}
		<ul>${recipes.map((r) => html`<li key=${r.template}><span>${r.headline}</span>
			<button type="button" aria-label=${`Make ${r.headline}`} disabled=${Boolean(job) && isRunning} onClick=${make(r.template)}>Make</button></li>`)}</ul>
		${error && html`<p class="error" role="alert">${error}</p>`}
		${job && html`<${Making} key=${job.upid} node=${node} ...${job} onMade=${onMade} />`}
	</fieldset>`;
}
