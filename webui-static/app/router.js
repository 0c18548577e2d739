// SPDX-License-Identifier: GPL-2.0-or-later
// What the hash of the address says: "#/guest/lxc/101/console" is the view "guest" with its parameters.
import { useEffect, useState } from './html.js';

const ROUTES = [
	['overview', '/'],
	['guest', '/guest/:type/:vmid'],
	['guest', '/guest/:type/:vmid/:tab'],
	['console', '/console/:type/:vmid/:display'],
	['node', '/node/:node'],
	['node', '/node/:node/:tab'],
	['storage', '/storage/:node/:storage'],
	['pool', '/pool/:pool'],
	['tasks', '/tasks'],
	['task', '/task/:upid'],
].map(([view, pattern]) => ({ view, parts: pattern.split('/').slice(1) }));

function match(parts, words) {
	const params = {};
	if (parts.length !== words.length)
		return null;
	for (let i = 0; i < parts.length; i++) {
		if (parts[i].startsWith(':'))
			params[parts[i].slice(1)] = words[i];
		else if (parts[i] !== words[i])
			return null;
	}
	return params;
}

function decode(word) {
	try {
		return decodeURIComponent(word);
	} catch {
		return word;
	}
}

/** @param {string} hash @returns {{view: string, params: Record<string, string>}} "missing" when none matches */
export function parse(hash) {
	const words = (hash.replace(/^#/, '') || '/').split('/').slice(1).map(decode);
	for (const { view, parts } of ROUTES) {
		const params = match(parts, words);
		if (params)
			return { view, params };
	}
	return { view: 'missing', params: {} };
}

export const href = (...parts) => `#/${parts.map(encodeURIComponent).join('/')}`;
export const guestHref = (entry, ...more) => href('guest', entry.type, entry.vmid, ...more);

export function go(hash) {
	location.hash = hash;
}

export function useRoute() {
	const [hash, setHash] = useState(location.hash);
	useEffect(() => {
		const changed = () => setHash(location.hash);
		addEventListener('hashchange', changed);
		return () => removeEventListener('hashchange', changed);
	}, []);
	return parse(hash);
}
