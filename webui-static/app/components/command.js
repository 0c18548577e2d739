// SPDX-License-Identifier: GPL-2.0-or-later
// The command that does the same on the node, to be copied.
import { html, useState } from '../html.js';
import { createCommand, variablesOf } from '../command.js';

/** @param {{params: object|null}} props of the call; null: they cannot be written down yet */
export function CreateCommand({ params }) {
	const [copied, setCopied] = useState('');
	if (!params)
		return null;
	const text = createCommand(params), variables = variablesOf(params);
	const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(text), () => setCopied(''));
	return html`<details class="all command"><summary>As a command on the node</summary>
		<pre class="mono" tabindex="0" aria-label="Command">${text}</pre>
		<p><button type="button" class="small" onClick=${copy}>Copy</button> <span class="faint" role="status">${copied === text ? 'Copied.'
			: variables.length ? `Set ${variables.join(', ')} before, as by: read -rs ${variables[0]}` : ''}</span></p></details>`;
}
