// SPDX-License-Identifier: GPL-2.0-or-later
// What fields can be chosen from: ids, storages, bridges, files. What a node cannot tell stays empty.
import * as api from '../api.js';
import { bytes } from '../format.js';
import { getState } from '../store.js';

/* An id that was handed out is this page's for a minute: a dialog that is opened again takes the same one. */
const LEASE = 50000; /* ms */
let lease = { vmid: '', until: 0 };

/** @returns {Promise<string>} */
export async function nextId() {
	const isTaken = Object.values(getState().resources).some((e) => String(e.vmid) === lease.vmid);
	if (isTaken || Date.now() > lease.until)
		lease = { until: Date.now() + LEASE, vmid: await api.get('/cluster/nextid') };
	return lease.vmid;
}

export const holds = (storage, content) => (storage.content || '').split(',').includes(content);

/** Storages of a node for one kind of content. */
export async function readStorages(node, content) {
	const storages = await api.get(api.path('nodes', node, 'storage'), { enabled: 1 });
	return storages.filter((s) => holds(s, content));
}

/** Files of one kind on all storages of a node. */
export async function readFiles(node, content) {
	const storages = (await readStorages(node, content)).filter((s) => s.active);
	const lists = await Promise.all(storages.map((s) =>
		api.get(`${api.path('nodes', node, 'storage', s.storage)}/content`, { content }).catch(() => [])));
	return lists.flat();
}

/** What only some nodes can tell: not asked where the node's own list does not have it. */
export async function readIfThere(node, name, params) {
	try {
		const index = await api.get(api.path('nodes', node));
		return index.some((i) => i.name === name) ? await api.get(api.path('nodes', node, name), params) : null;
	} catch {
		return null;
	}
}

/** Bridges that one may use, with their addresses; null: the node tells nothing of them.
 * @returns {Promise<{iface: string, cidr?: string, gateway?: string}[]|null>} */
export const readNetworks = (node) => readIfThere(node, 'network', { type: 'any_bridge' });
export const namesOf = (networks) => networks?.map((b) => b.iface) ?? null;
export const readBridges = async (node) => namesOf(await readNetworks(node));
/** The bridge of a new card: the first that one may use, none if there is none, the usual one if that is not known. */
export const firstBridge = (bridges) => (bridges ? bridges[0] ?? '' : 'vmbr0');

/** Names of the pools that one sees. */
export const poolNames = () => Object.values(getState().resources).filter((e) => e.type === 'pool').map((e) => e.pool).sort();

/** For a select of storages. */
export const storageOptions = (storages) => storages.map((s) =>
	[s.storage, s.active ? `${s.storage} (${bytes(s.avail)} free)` : `${s.storage} (not available)`]);

/** "local: debian.tar.zst" of a volume id. */
export const fileName = (volid) => volid.replace(/^([^:]+):[^/]+\//, '$1: ');
export const fileOptions = (files) => files.map((f) => [f.volid, `${fileName(f.volid)} (${bytes(f.size)})`]);
