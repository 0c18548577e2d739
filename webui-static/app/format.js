// SPDX-License-Identifier: GPL-2.0-or-later
// Values as people read them. Pure.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** @param {number|undefined} n bytes */
export function bytes(n) {
	if (!Number.isFinite(n) || n < 0)
		return '–';
	let unit = 0;
	while (n >= 1024 && unit < UNITS.length - 1) {
		n /= 1024;
		unit++;
	}
	const digits = unit === 0 || n >= 100 ? 0 : n >= 10 ? 1 : 2;
	return `${Number(n.toFixed(digits))} ${UNITS[unit]}`;
}

/** @param {number|undefined} share 0 to 1 */
export function percent(share) {
	if (!Number.isFinite(share))
		return '–';
	const value = share * 100;
	return `${value > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} %`;
}

/** @param {number|undefined} seconds */
export function duration(seconds) {
	if (!Number.isFinite(seconds) || seconds < 0)
		return '–';
	const s = Math.floor(seconds);
	if (s < 60)
		return `${s} s`;
	if (s < 3600)
		return `${Math.floor(s / 60)} min ${s % 60} s`;
	if (s < 86400)
		return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
	return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** Local date and time, sortable. @param {number|undefined} epoch seconds */
export function time(epoch) {
	if (!Number.isFinite(epoch) || epoch <= 0)
		return '–';
	const d = new Date(epoch * 1000);
	const two = (n) => String(n).padStart(2, '0');
	return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ` +
		`${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** used/total as 0 to 1, or undefined. */
export function share(used, total) {
	return Number.isFinite(used) && total > 0 ? Math.min(1, used / total) : undefined;
}

/** @param {string|undefined} text "a;b" */
export function tags(text) {
	return (text || '').split(/[;, ]+/).filter(Boolean);
}

export const isGuest = (entry) => entry.type === 'qemu' || entry.type === 'lxc';
export const kindName = (type) => (type === 'lxc' ? 'Container' : 'Virtual machine');
export const kindShort = (type) => (type === 'lxc' ? 'CT' : 'VM');

/** What a resource is called; never empty. */
export function nameOf(entry) {
	if (isGuest(entry))
		return entry.name || `${kindShort(entry.type)} ${entry.vmid}`;
	return entry.storage || entry.node || entry.id;
}

const STATES = {
	running: 'running',
	online: 'running',
	available: 'running',
	paused: 'paused',
	stopped: 'stopped',
	offline: 'failed',
};

/* ends that nobody wished for */
const ENDS = { oom: 'out of memory', killed: 'killed', crashed: 'crashed', failed: 'failed' };

/** { tone, text } of a resource's state; tone chooses the colour, the text is always shown. A guest that stopped by an accident says so. */
export function stateOf(entry) {
	const status = entry.status || 'unknown';
	if (status === 'stopped' && ENDS[entry.reason])
		return { tone: 'failed', text: `stopped, ${ENDS[entry.reason]}` };
	return { tone: STATES[status] || 'unknown', text: status };
}

const TASKS = {
	create: 'Create', destroy: 'Destroy', start: 'Start', stop: 'Stop', shutdown: 'Shut down', reboot: 'Reboot',
	reset: 'Reset', config: 'Configure', suspend: 'Suspend', resume: 'Resume', migrate: 'Migrate', clone: 'Clone',
	restore: 'Restore', snapshot: 'Snapshot', rollback: 'Roll back', delsnapshot: 'Delete snapshot of',
	template: 'Make a template of', move: 'Move volume of',
};
const OTHER_TASKS = {
	imgcopy: 'Upload', imgdel: 'Delete volume', vncproxy: 'Console of', vzdump: 'Back up', download: 'Download', kvmcheck: 'Test KVM',
	resize: 'Resize', startall: 'Start all', stopall: 'Stop all',
};

/** "Start CT 101" of a task entry. */
export function taskName(task) {
	const guest = /^(qm|vz)(.+)$/.exec(task.type);
	const id = task.id ? ` ${task.id}` : '';
	if (OTHER_TASKS[task.type])
		return OTHER_TASKS[task.type] + id;
	if (guest && TASKS[guest[2]])
		return `${TASKS[guest[2]]} ${guest[1] === 'vz' ? 'CT' : 'VM'}${id}`;
	return task.type + id;
}

/** { tone, text } of a task: it has no end time while it runs. */
export function taskState(task) {
	if (!task.endtime)
		return { tone: 'busy', text: 'running' };
	if (task.status === 'OK')
		return { tone: 'running', text: 'OK' };
	if (/^WARNINGS/.test(task.status || ''))
		return { tone: 'paused', text: task.status };
	return { tone: 'failed', text: task.status || 'unknown' };
}

/** Parts of a UPID, or null. */
export function parseUpid(upid) {
	const m = /^UPID:([^:]+):([0-9A-F]{8}):([0-9A-F]{8,9}):([0-9A-F]{8}):([^:]+):([^:]*):([^:]+):$/i.exec(upid);
	return m && { upid, node: m[1], starttime: parseInt(m[4], 16), type: m[5], id: m[6], user: m[7] };
}
