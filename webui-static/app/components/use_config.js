// SPDX-License-Identifier: GPL-2.0-or-later
// A guest's configuration with what waits for its next start, read anew when it changes.
import * as api from '../api.js';
import { guestPath } from '../actions.js';
import { useEffect, useState } from '../html.js';
import { useStore } from '../store.js';

/** items: as in GET …/pending: { key, value?, pending?, delete? }; value(key): what is stored, changes included.
 * @returns {{items: object[]|null, value: (key: string) => string|undefined, digest: string|undefined, error: string, reload: () => void}} */
export function useConfig(entry) {
	const [state, setState] = useState({ items: null, config: {}, error: '' });
	const [count, setCount] = useState(0);
	const guest = guestPath(entry);
	const kind = entry.type === 'lxc' ? 'lxc' : 'qemu-server';
	const version = useStore((s) => s.configs[`/nodes/${entry.node}/${entry.type}/${entry.vmid}.conf`] ??
		s.configs[`/nodes/${entry.node}/${kind}/${entry.vmid}.conf`]);

	useEffect(() => {
		let isGone = false;
		Promise.all([api.get(`${guest}/pending`), api.get(`${guest}/config`)]).then(
			([items, config]) => isGone || setState({ items, config, error: '' }),
			(error) => isGone || setState((old) => ({ ...old, error: error.message })));
		return () => { isGone = true; };
	}, [guest, version, count, entry.status, entry.lock, entry.maxmem, entry.maxcpu, entry.name, entry.tags]);
	return {
		...state,
		digest: state.config.digest,
		value: (key) => state.config[key],
		reload: () => setCount((n) => n + 1),
	};
}
