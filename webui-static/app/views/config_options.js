// SPDX-License-Identifier: GPL-2.0-or-later
// Dialogs of options that are more than one value to type: the start order, the hook script.
import { html, useEffect, useState } from '../html.js';
import { format, parse } from '../propstring.js';
import { fileName, readFiles } from '../components/choices.js';
import { FormDialog } from '../components/form.js';
import { change } from './config_dialogs.js';

/** Order and delays at start and stop. */
export function StartupDialog({ name, onClose, onReload, ...of }) {
	const old = parse(of.config[name], 'order');
	const initial = { order: old.order ?? '', up: old.up ?? '', down: old.down ?? '' };
	const params = (v) => {
		const text = format(name, { order: v.order, up: v.up, down: v.down });
		return text ? { [name]: text } : { delete: name };
	};
	return html`<${FormDialog} title=${`Start and stop order of ${of.entry.vmid}`} initial=${initial} ...${change(of, params)} onClose=${onClose} onReload=${onReload}>
		${(field) => html`
			${field({ name: 'order', label: 'Place', kind: 'number', min: 0, placeholder: 'after all that have one', wide: true, autofocus: true, errorsOf: `${name}.order ${name} delete`,
				hint: 'Lower ones start first, and stop last.' })}
			${field({ name: 'up', label: 'Wait after its start', kind: 'number', min: 0, unit: 's', placeholder: '0', errorsOf: `${name}.up` })}
			${field({ name: 'down', label: 'Time to shut down', kind: 'number', min: 0, unit: 's', placeholder: '180', errorsOf: `${name}.down` })}`}
	<//>`;
}

/** One of the snippets on the node's storages. */
export function HookDialog({ name, onClose, onReload, ...of }) {
	const [snippets, setSnippets] = useState(null);
	const stored = of.config[name] ?? '';
	useEffect(() => { readFiles(of.entry.node, 'snippets').then((files) => setSnippets(files.map((f) => f.volid)), () => setSnippets([])); }, []);
	const offered = [...new Set([...(stored ? [stored] : []), ...(snippets || [])])].map((v) => [v, fileName(v)]);
	const params = ({ value }) => (value ? { [name]: value } : { delete: name });
	return html`<${FormDialog} title=${`Hook script of ${of.entry.vmid}`} initial=${{ value: stored }} ...${change(of, params)} onClose=${onClose} onReload=${onReload}>
		${(field) => field({ name: 'value', label: 'Hook script', kind: 'select', wide: true, autofocus: true, errorsOf: `${name} delete`, options: [['', 'none'], ...offered],
			hint: snippets && !offered.length ? 'There is no snippet on this node’s storages: upload one to a storage that is for snippets.'
				: 'Runs as root of the node before and after start and stop; only root may choose one.' })}
	<//>`;
}
