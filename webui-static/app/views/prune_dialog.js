// SPDX-License-Identifier: GPL-2.0-or-later
// Old backups of a storage are removed by a rule; which ones that would be is shown while it is chosen.
import * as api from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { kindShort, time } from '../format.js';
import { format } from '../propstring.js';
import { watchTask } from '../live.js';
import { FormDialog } from '../components/form.js';

const PAUSE = 300; /* ms without a key until the node is asked */
const KEEPS = [['last', 'Newest ones'], ['hourly', 'Hours'], ['daily', 'Days'], ['weekly', 'Weeks'], ['monthly', 'Months'], ['yearly', 'Years']];

/** Pure. The parameters of the fields' values. */
export function pruneParams(v) {
	const rule = format('prune-backups', Object.fromEntries(KEEPS.map(([key]) => [`keep-${key}`, v[key]])));
	return { 'prune-backups': rule || 'keep-all=1', vmid: v.vmid || undefined };
}

/** What the node would do now; null while that is not known. */
function usePreview(where, values) {
	const [marks, setMarks] = useState(null);
	useEffect(() => {
		let isGone = false;
		const put = (list) => isGone || setMarks(list);
		const ask = async () => put(await api.get(where, pruneParams(values)));
		const timer = setTimeout(() => ask().catch(() => put(null)), PAUSE);
		return () => {
			isGone = true;
			clearTimeout(timer);
		};
	}, [values]);
	return marks;
}

const WORDS = { keep: 'kept', protected: 'kept, protected', renamed: 'kept, renamed', remove: 'removed' };

function Preview({ where, values }) {
	const marks = usePreview(where, values);
	const gone = (marks || []).filter((m) => m.mark === 'remove').length;
	return html`<div class="all prune"><p role="status">${marks ? (gone ? `${gone} of ${marks.length} backups would be removed.` : 'Nothing would be removed.') : 'Asking the node…'}</p>
		${marks && html`<ul>${[...marks].sort((a, b) => (a.vmid || 0) - (b.vmid || 0) || b.ctime - a.ctime).map((m) => html`<li key=${m.volid} data-mark=${m.mark} title=${m.volid}>
			<span>${m.vmid ? `${kindShort(m.type)} ${m.vmid}` : m.volid}</span><span>${time(m.ctime)}</span><b>${WORDS[m.mark] || m.mark}</b></li>`)}</ul>`}</div>`;
}

export function PruneDialog({ node, storage, onClose }) {
	const where = api.path('nodes', node, 'storage', storage, 'prunebackups');
	const call = (v) => ({ method: 'DELETE', path: where, params: pruneParams(v) });
	const send = async (v) => { watchTask(await api.del(where, call(v).params), `Remove old backups on ${storage}`); };
	const initial = { last: '3', hourly: '', daily: '', weekly: '', monthly: '', yearly: '', vmid: '' };
	return html`<${FormDialog} title=${`Remove old backups on ${storage}`} label="Remove" danger wide initial=${initial} check=${call} send=${send} onClose=${onClose}>
		${(field, { values }) => html`<p class="all">Of each guest is kept, at least:</p>
			${KEEPS.map(([key, label], n) => field({ name: key, label, kind: 'number', min: 0, placeholder: '0', errorsOf: n ? `prune-backups.keep-${key}` : 'prune-backups.keep-last prune-backups' }))}
			${field({ name: 'vmid', label: 'Only of the guest', placeholder: 'all', inputmode: 'numeric', wide: true })}
			<${Preview} where=${where} values=${values} />`}
	<//>`;
}
