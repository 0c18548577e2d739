// SPDX-License-Identifier: GPL-2.0-or-later
// What surrounds all views: bar, navigation, the dialog that creates guests.
import { html, useEffect, useRef } from '../html.js';
import { useStore } from '../store.js';
import { Bar } from '../components/bar.js';
import { Navigation } from '../components/navigation.js';
import { Create } from './create.js';
import { Guest } from './guest.js';
import { Node } from './node.js';
import { Overview } from './overview.js';
import { Pool } from './pool.js';
import { Storage } from './storage.js';
import { Task } from './task.js';
import { Tasks } from './tasks.js';

const VIEWS = { overview: Overview, guest: Guest, node: Node, pool: Pool, storage: Storage, tasks: Tasks, task: Task, missing: Missing };

function Missing() {
	useEffect(() => { document.title = 'Lodge'; }, []);
	return html`<div class="empty"><h1>There is no such page</h1><p><a href="#/">To the overview</a></p></div>`;
}

/** A new view is read from its beginning; focus goes there unless something still has it. */
function useViewStart(key, main) {
	useEffect(() => {
		main.current.scrollTop = 0;
		scrollTo(0, 0);
		if (document.activeElement === document.body)
			main.current.focus({ preventScroll: true });
	}, [key]);
}

export function Shell({ view, params }) {
	const creating = useStore((s) => s.creating);
	const main = useRef(null);
	const key = [view, params.type, params.vmid, params.node, params.storage, params.pool, params.upid].join(' ');
	const View = VIEWS[view];

	useViewStart(key, main);
	return html`<div class="shell">
		<a class="skip" href="#" onClick=${(e) => { e.preventDefault(); main.current.focus(); }}>Skip to the content</a>
		<${Bar} />
		<${Navigation} view=${view} params=${params} />
		<main ref=${main} tabindex="-1"><${View} key=${key} ...${params} /></main>
		${creating && html`<${Create} key=${creating} kind=${creating} />`}
	</div>`;
}
