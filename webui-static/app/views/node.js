// SPDX-License-Identifier: GPL-2.0-or-later
// A node: its head and its parts.
import { html, useEffect } from '../html.js';
import { stateOf } from '../format.js';
import { href } from '../router.js';
import { useStore } from '../store.js';
import { useMay } from '../components/rights.js';
import { State } from '../components/state.js';
import { NodeActions } from './node_actions.js';
import { NodeNetwork } from './node_network.js';
import { NodeSummary } from './node_summary.js';
import { NodeSystem } from './node_system.js';

const TABS = [['summary', 'Summary', NodeSummary], ['network', 'Network', NodeNetwork], ['system', 'System', NodeSystem]];

export function Node({ node, tab = 'summary' }) {
	const entry = useStore((s) => s.resources[`node/${node}`]);
	const isLoaded = useStore((s) => s.isLoaded);
	const may = useMay(`/nodes/${node}`);
	const [, , Part] = TABS.find(([key]) => key === tab) || TABS[0];

	useEffect(() => { document.title = `${node} · Lodge`; }, [node]);
	if (!entry)
		return html`<div class="empty"><h1>${node}</h1><p>${isLoaded ? 'There is no such node.' : 'Loading…'}</p></div>`;
	return html`<div class="view">
		<header class="head"><p class="crumb">Node</p><h1><span>${node}</span> <${State} ...${stateOf(entry)} /></h1>
			<${NodeActions} node=${node} may=${may} /></header>
		<nav class="tabs" aria-label="Parts of this node">${TABS.map(([key, label]) =>
			html`<a key=${key} href=${href('node', node, key)} aria-current=${key === tab ? 'page' : undefined}>${label}</a>`)}</nav>
		<${Part} node=${node} entry=${entry} may=${may} />
	</div>`;
}
