// SPDX-License-Identifier: GPL-2.0-or-later
// The console alone, in a tab of its own.
import { html, useEffect } from '../html.js';
import { kindShort, nameOf } from '../format.js';
import { guestHref } from '../router.js';
import { useStore } from '../store.js';
import { Console } from '../components/console.js';

export function ConsoleTab({ type, vmid, display }) {
	const entry = useStore((s) => s.resources[`${type}/${vmid}`]);
	const isLoaded = useStore((s) => s.isLoaded);
	const name = entry ? nameOf(entry) : `${kindShort(type)} ${vmid}`;

	useEffect(() => { document.title = `${name} (${vmid}) console`; }, [name, vmid]);
	if (!entry)
		return html`<main class="console-tab"><div class="empty"><h1>${name}</h1>
			<p>${isLoaded ? 'There is no such guest, or you may not see it.' : 'Loading…'}</p></div></main>`;
	return html`<main class="console-tab"><h1 class="unseen">Console of ${name}</h1>
		<${Console} key=${display} entry=${entry} display=${display}
			tools=${html`<a href=${guestHref(entry)}><b>${name}</b> <span class="id">${vmid}</span></a>`} /></main>`;
}
