// SPDX-License-Identifier: GPL-2.0-or-later
// A guest's configuration with what waits for its next start. Events tell that a guest changed, not what: its
// configuration is asked for then, and the rest only when its digest is another.
import * as api from '../api.js';
import { guestPath } from '../actions.js';
import { useEffect, useRef, useState } from '../html.js';
import { useStore } from '../store.js';

/** Another number whenever a guest was told to have changed; null while it is being destroyed: nothing is to be asked of it then. */
export function useTold(entry) {
	const told = useStore((s) => s.told[entry.id] || 0);
	const isGoing = useStore((s) => s.tasks.some((t) => !t.endtime && t.id === String(entry.vmid) && /destroy$/.test(t.type)));
	return isGoing ? null : told;
}

/** items: as in GET …/pending: { key, value?, pending?, delete? }; value(key): what is stored, changes included.
 * @returns {{items: object[]|null, value: (key: string) => string|undefined, digest: string|undefined, error: string, reload: () => void}} */
export function useConfig(entry) {
	const [state, setState] = useState({ items: null, config: {}, error: '' });
	const [count, setCount] = useState(0);
	const guest = guestPath(entry);
	const told = useTold(entry);
	const shown = useRef('');

	useEffect(() => {
		let isGone = false;
		if (told === null)
			return undefined;
		const read = async () => {
			const config = await api.get(`${guest}/config`);
			const version = `${guest} ${config.digest} ${entry.status}`;
			if (isGone || version === shown.current)
				return;
			const items = await api.get(`${guest}/pending`);
			if (isGone)
				return;
			shown.current = version;
			setState({ items, config, error: '' });
		};
		read().catch((error) => isGone || setState((old) => ({ ...old, error: error.message })));
		return () => { isGone = true; };
	}, [guest, told, count, entry.status]);
	return {
		...state,
		digest: state.config.digest,
		value: (key) => state.config[key],
		reload: () => setCount((n) => n + 1),
	};
}
