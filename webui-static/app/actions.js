// SPDX-License-Identifier: GPL-2.0-or-later
// What can be done with a guest, as a table, and doing it.
import * as api from './api.js';
import { kindShort } from './format.js';
import { watchTask } from './live.js';
import { toastError } from './store.js';

export const guestPath = (entry) => api.path('nodes', entry.node, entry.type, entry.vmid);

const isUp = (e) => e.status === 'running' || e.status === 'paused';
const mayBeUp = (e) => e.status !== 'stopped';

/** is: when it is offered; confirm: what is asked before, or "id" for destroy, which wants the id typed. */
export const ACTIONS = [
	{ name: 'start', label: 'Start', is: (e) => !isUp(e), main: true },
	{ name: 'shutdown', label: 'Shut down', is: mayBeUp },
	{ name: 'reboot', label: 'Reboot', is: isUp },
	{ name: 'reset', label: 'Reset', is: (e) => isUp(e) && e.type === 'qemu',
		confirm: 'The machine restarts at once, as by its reset button. What its system has not written yet is lost.' },
	{ name: 'stop', label: 'Stop', is: mayBeUp,
		confirm: 'It is stopped at once, as if its power was cut. What its system has not written yet is lost.' },
	{ name: 'destroy', label: 'Destroy', is: (e) => !isUp(e), danger: true, confirm: 'id' },
];

const titleOf = (action, entry) => `${action.label} ${kindShort(entry.type)} ${entry.vmid}`;

/** Starts the task of an action. Resolves with whether it ended well; failures are told as toasts.
 * @returns {Promise<boolean>} */
export async function act(action, entry) {
	const guest = guestPath(entry);
	try {
		const upid = action.name === 'destroy'
			? await api.del(guest, { purge: 1, 'destroy-unreferenced-disks': 1 })
			: await api.post(`${guest}/status/${action.name}`);
		return await watchTask(upid, titleOf(action, entry));
	} catch (error) {
		toastError(error, titleOf(action, entry));
		return false;
	}
}
