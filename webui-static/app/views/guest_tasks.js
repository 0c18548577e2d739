// SPDX-License-Identifier: GPL-2.0-or-later
// Tasks of one guest: those that the node remembers, with the store's on top.
import * as api from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { toastError, useStore } from '../store.js';
import { TaskTable } from '../components/task_table.js';

export function GuestTasks({ entry }) {
	const all = useStore((s) => s.tasks);
	const [old, setOld] = useState([]);
	const recent = all.filter((t) => t.id === String(entry.vmid));
	const known = new Set(recent.map((t) => t.upid));

	useEffect(() => {
		api.get(api.path('nodes', entry.node, 'tasks'), { vmid: entry.vmid, source: 'all', limit: 200 })
			.then(setOld, (e) => toastError(e, 'Tasks'));
	}, [entry.id]);
	return html`<section class="panel"><${TaskTable} id="guest-tasks" tasks=${[...recent, ...old.filter((t) => !known.has(t.upid))]} withFilter
		empty="Nothing has been done with this guest yet." /></section>`;
}
