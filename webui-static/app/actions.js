// SPDX-License-Identifier: GPL-2.0-or-later
// What can be done with a guest, as a table, and doing it.
import * as api from './api.js';
import { kindShort } from './format.js';
import { watchTask } from './live.js';
import { toastError } from './store.js';

export const guestPath = (entry) => api.path('nodes', entry.node, entry.type, entry.vmid);

const isUp = (e) => e.status === 'running' || e.status === 'paused';
const mayBeUp = (e) => e.status !== 'stopped';
const isContainer = (e) => e.type === 'lxc';

const POWER = 'VM.PowerMgmt';

/** needs: the right to it; is: when it is offered; confirm: what is asked before, or "id" for destroy, which wants the id typed; dialog: it has one of its own;
 * more: it stands in the menu beside the buttons. */
export const ACTIONS = [
	{ name: 'start', label: 'Start', needs: POWER, is: (e) => !isUp(e) && !e.template, main: true },
	{ name: 'resume', label: 'Resume', needs: POWER, is: (e) => isContainer(e) && e.status === 'paused', main: true },
	{ name: 'shutdown', label: 'Shut down', needs: POWER, is: mayBeUp },
	{ name: 'reboot', label: 'Reboot', needs: POWER, is: isUp },
	{ name: 'reset', label: 'Reset', needs: POWER, is: (e) => isUp(e) && e.type === 'qemu',
		confirm: 'The machine restarts at once, as by its reset button. What its system has not written yet is lost.' },
	{ name: 'stop', label: 'Stop', needs: POWER, is: mayBeUp,
		confirm: 'It is stopped at once, as if its power was cut. What its system has not written yet is lost.' },
	{ name: 'shutdownWithin', label: 'Shut down within…', needs: POWER, is: mayBeUp, dialog: true, more: true, icon: 'shutdown' },
	{ name: 'suspend', label: 'Suspend', needs: POWER, is: (e) => isContainer(e) && e.status === 'running', more: true },
	{ name: 'clone', label: 'Clone…', needs: 'VM.Clone', is: () => true, dialog: true, more: true },
	{ name: 'template', label: 'Make a template…', needs: 'VM.Allocate', is: (e) => !isUp(e) && !e.template, more: true,
		confirm: 'It is only to be copied from then on: it cannot be started any more. There is no way back, but its clones are guests again.' },
	{ name: 'destroy', label: 'Destroy', needs: 'VM.Allocate', is: (e) => !isUp(e), danger: true, confirm: 'id' },
];

const titleOf = (action, entry) => `${action.label.replace('…', '')} ${kindShort(entry.type)} ${entry.vmid}`;

/** The call of an action; most are named like their path. */
const CALLS = {
	destroy: (guest) => api.del(guest, { purge: 1, 'destroy-unreferenced-disks': 1 }),
	stop: (guest) => api.post(`${guest}/status/stop`, { 'overrule-shutdown': 1 }),
	template: (guest) => api.post(`${guest}/template`),
};

/** Starts the task of an action. Resolves with whether it ended well; failures are told as toasts.
 * @returns {Promise<boolean>} */
export async function act(action, entry) {
	const guest = guestPath(entry);
	try {
		const upid = await (CALLS[action.name]?.(guest) ?? api.post(`${guest}/status/${action.name}`));
		return upid ? await watchTask(upid, titleOf(action, entry)) : true; // some are done when they are answered
	} catch (error) {
		toastError(error, titleOf(action, entry));
		return false;
	}
}
