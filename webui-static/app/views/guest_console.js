// SPDX-License-Identifier: GPL-2.0-or-later
// The console as a part of a guest's view.
import { html, useState } from '../html.js';
import { href } from '../router.js';
import { Console, displaysOf } from '../components/console.js';
import { Icon } from '../components/icon.js';
import { useConfig } from '../components/use_config.js';

export function GuestConsole({ entry }) {
	const { items, value, error } = useConfig(entry);
	const [chosen, setChosen] = useState(null);
	if (!items)
		return html`<div class="empty"><p>${error || 'Loading…'}</p></div>`;
	const displays = displaysOf(entry, value);
	const display = displays.find(([key]) => key === chosen)?.[0] || displays[0]?.[0];
	if (!display)
		return html`<div class="empty"><p>This machine has neither a graphics card nor a serial port.</p></div>`;
	const choice = displays.length > 1 && html`<span class="choice" role="group" aria-label="Display">${displays.map(([key, label]) =>
		html`<button type="button" key=${key} aria-pressed=${key === display ? 'true' : 'false'} onClick=${() => setChosen(key)}>${label}</button>`)}</span>`;
	const own = html`<a class="button" href=${href('console', entry.type, entry.vmid, display)} target="_blank" rel="noopener">
		<${Icon} name="open" /><span class="wide-only">Own tab</span><span class="unseen">opens in a new tab</span></a>`;
	return html`<${Console} key=${display} entry=${entry} display=${display} tools=${html`${choice}${own}`} />`;
}
