// SPDX-License-Identifier: GPL-2.0-or-later
// The one table: sorted by a click on a head, filtered by words, rows kept by their keys so that focus stays where
// it is while figures change.
import { html, useRef, useState } from '../html.js';
import { go } from '../router.js';
import { Icon } from './icon.js';
import { useKeptFocus } from './kept_focus.js';

/** Sort and filter of each table, kept while views come and go. @type {Record<string, {key: string, down: boolean, words: string}>} */
const kept = {};

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

function compare(a, b) {
	if (typeof a === 'number' && typeof b === 'number')
		return a - b;
	return collator.compare(a ?? '', b ?? '');
}

/** Pure. Rows that hold each of the words, in the order of a column; equal ones by their keys. */
export function arrange(rows, { words, key, down }, columns, rowKey, text) {
	const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
	const column = columns.find((c) => c.key === key && c.sort);
	const found = wanted.length
		? rows.filter((r) => { const t = text(r).toLowerCase(); return wanted.every((w) => t.includes(w)); })
		: [...rows];
	if (column)
		found.sort((a, b) => (down ? -1 : 1) * compare(column.sort(a), column.sort(b)) || compare(rowKey(a), rowKey(b)));
	return found;
}

function Head({ column, view, onSort }) {
	const is = view.key === column.key;
	if (!column.sort)
		return html`<th scope="col" class=${column.class}>${column.label}</th>`;
	return html`<th scope="col" class=${column.class} aria-sort=${is ? (view.down ? 'descending' : 'ascending') : undefined}>
		<button type="button" class="sort" onClick=${() => onSort(column.key)}>${column.label}
			${is && html`<${Icon} name=${view.down ? 'sortDown' : 'sortUp'} />`}</button></th>`;
}

/** columns: { key, label, cell(row), sort?(row), class? }; class "wide" and "mid" are hidden on narrow screens.
 * @param {{id: string, label: string, columns: object[], rows: object[], rowKey: (row: any) => string, sortBy?: string, sortDown?: boolean,
 *  text?: (row: any) => string, href?: (row: any) => string, empty: any, title?: string, tools?: any}} props text: what the filter looks into; none: no filter;
 *  tools: buttons beside the title */
export function Table({ id, label, columns, rows, rowKey, sortBy = '', sortDown = false, text, href, empty, title, tools }) {
	const [view, setView] = useState(kept[id] || { key: sortBy, down: sortDown, words: '' });
	const ref = useRef(null);
	const change = (next) => setView((kept[id] = { ...view, ...next }));
	const sort = (key) => change({ key, down: view.key === key && !view.down });
	const shown = arrange(rows, view, columns, rowKey, text || (() => ''));
	const click = (row) => (event) => {
		if (href && !event.target.closest('a, button, input') && !getSelection().toString())
			go(href(row));
	};

	useKeptFocus(ref);
	return html`<div class="table-box">
		${(title || text) && html`<div class="table-tools">${title && html`<h2>${title}</h2><span class="grow"></span>`}${tools}
			${text && html`<input type="search" aria-label=${`Filter ${label.toLowerCase()}`} placeholder="Filter" value=${view.words}
				onInput=${(e) => change({ words: e.target.value })} />`}</div>`}
		<table ref=${ref} tabindex="-1" aria-label=${label}>
			<thead><tr>${columns.map((c) => html`<${Head} key=${c.key} column=${c} view=${view} onSort=${sort} />`)}</tr></thead>
			<tbody>${shown.map((row) => html`<tr key=${rowKey(row)} data-key=${rowKey(row)} class=${href ? 'goes' : ''} onClick=${click(row)}>
				${columns.map((c) => html`<td key=${c.key} class=${c.class}>${c.cell(row)}</td>`)}</tr>`)}</tbody>
		</table>
		${shown.length === 0 && html`<div class="empty">${rows.length ? html`<p>Nothing matches “${view.words}”.</p>` : empty}</div>`}
	</div>`;
}
