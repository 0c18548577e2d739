// SPDX-License-Identifier: GPL-2.0-or-later
// Overview, tasks, and the tree: nodes with their guests and storages. On narrow screens only its first line is left.
import { html } from '../html.js';
import { isGuest, nameOf, stateOf } from '../format.js';
import { guestHref, href } from '../router.js';
import { useStore } from '../store.js';
import { Icon } from './icon.js';
import { State } from './state.js';

/** Pure: [{ node, guests, storages }], sorted by name and id. */
export function treeOf(resources) {
	const entries = Object.values(resources);
	const byName = (a, b) => (nameOf(a) < nameOf(b) ? -1 : 1);
	return entries.filter((e) => e.type === 'node').sort(byName).map((node) => ({
		node,
		guests: entries.filter((e) => isGuest(e) && e.node === node.node).sort((a, b) => a.vmid - b.vmid),
		storages: entries.filter((e) => e.type === 'storage' && e.node === node.node).sort(byName),
	}));
}

function Link({ to, icon, current, state, children }) {
	return html`<a href=${to} aria-current=${current ? 'page' : undefined}>
		<${Icon} name=${icon} /><span class="nav-name">${children}</span>${state && html`<${State} ...${stateOf(state)} short />`}</a>`;
}

function Branch({ node, guests, storages, view, params }) {
	const isAt = (type, id) => view === 'guest' && params.type === type && params.vmid === String(id);
	return html`<section>
		<h2><${Link} to=${href('node', node.node)} icon="node" state=${node} current=${view === 'node' && params.node === node.node}>${node.node}<//></h2>
		<ul>${guests.map((g) => html`<li key=${g.id}><${Link} to=${guestHref(g)} icon=${g.type} state=${g} current=${isAt(g.type, g.vmid)}>
			<span class="id">${g.vmid}</span> ${nameOf(g)}<//></li>`)}
		${storages.map((s) => html`<li key=${s.id}><${Link} to=${href('storage', s.node, s.storage)} icon="storage" state=${s}
			current=${view === 'storage' && params.storage === s.storage && params.node === s.node}>${s.storage}<//></li>`)}</ul>
	</section>`;
}

export function Navigation({ view, params }) {
	const resources = useStore((s) => s.resources);
	return html`<nav class="nav" aria-label="Main">
		<ul class="nav-main">
			<li><${Link} to="#/" icon="home" current=${view === 'overview'}>Overview<//></li>
			<li><${Link} to="#/tasks" icon="tasks" current=${view === 'tasks' || view === 'task'}>Tasks<//></li>
		</ul>
		<div class="nav-tree">${treeOf(resources).map((b) => html`<${Branch} key=${b.node.id} ...${b} view=${view} params=${params} />`)}</div>
	</nav>`;
}
