// SPDX-License-Identifier: GPL-2.0-or-later
// The newest tasks of all nodes.
import { html, useEffect } from '../html.js';
import { useStore } from '../store.js';
import { TaskTable } from '../components/task_table.js';

export function Tasks() {
	const tasks = useStore((s) => s.tasks);
	useEffect(() => { document.title = 'Tasks · Lodge'; }, []);
	return html`<div class="view"><h1>Tasks</h1><section class="panel"><${TaskTable} id="tasks" tasks=${tasks} withFilter /></section></div>`;
}
