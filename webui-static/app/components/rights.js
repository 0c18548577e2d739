// SPDX-License-Identifier: GPL-2.0-or-later
// What the one who is logged in may do: only that is offered. The node says what is done.
import * as api from '../api.js';
import { useEffect, useState } from '../html.js';
import { useStore } from '../store.js';

/** Pure. Is one of those words among the rights? "VM.Config." is every right that begins so.
 * @param {Record<string, unknown>} rights @param {string} words separated by "|" */
export function has(rights, words) {
	return words.split('|').some((word) => (word.endsWith('.') ? Object.keys(rights).some((r) => r.startsWith(word)) : word in rights));
}

const nothing = () => false;
const everything = () => true;

/** At a path of the access lists ("/vms/100"). Nothing while that is not known yet, everything when it cannot be.
 * @returns {(words: string) => boolean} */
export function useMay(path) {
	const [known, setKnown] = useState({ path: '', may: nothing });

	useEffect(() => {
		let isGone = false;
		const put = (may) => isGone || setKnown({ path, may });
		api.get('/access/permissions', { path }).then((data) => put((words) => has(data[path] || {}, words)), () => put(everything));
		return () => { isGone = true; };
	}, [path]);
	return known.path === path ? known.may : nothing;
}

/** Anywhere, as the node said when one logged in; section: vms, storage, nodes, access, dc.
 * @returns {(words: string) => boolean} */
export function useMaySomewhere(section) {
	const cap = useStore((s) => s.session?.cap?.[section]);
	return (words) => has(cap || {}, words);
}
