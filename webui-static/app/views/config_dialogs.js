// SPDX-License-Identifier: GPL-2.0-or-later
// Dialogs that change a configuration. Each gets { entry, name, config, items, onClose, onReload }: the key, the configuration as it was
// when the dialog was opened, and what to do when that is old. A change of others in between must not be lost: the digest of then is sent.
import * as api from '../api.js';
import { guestPath } from '../actions.js';
import { html, useEffect, useState } from '../html.js';
import { format, isOn, parse } from '../propstring.js';
import { firstBridge, readBridges } from '../components/choices.js';
import { FormDialog } from '../components/form.js';
import { keyOf, labelOf, shownOf, storedOf } from './config_keys.js';
import { netDefaults, NetFields, netParts, netValues } from './ct_net.js';

/** A form's check, send and version for PUT …/config. @param {(values: object) => object} params */
export function change({ entry, config }, params) {
	const path = `${guestPath(entry)}/config`;
	const call = (values) => ({ method: 'PUT', path, params: { ...params(values), digest: config.digest } });
	return { version: config.digest, check: call, send: async (values) => api.put(path, call(values).params) };
}

/** One value. */
export function ValueDialog({ name, onClose, onReload, ...of }) {
	const known = keyOf(name);
	const params = ({ value }) => {
		const stored = storedOf(known, value);
		return stored === undefined ? { delete: name } : { [name]: stored };
	};
	const { label, kind, hint, unset, options, ...more } = known.field;
	const stored = String(of.config[name] ?? '');
	const offered = options && (options.some(([value]) => value === stored) ? options : [...options, [stored, stored]]);
	return html`<${FormDialog} title=${`${label} of ${of.entry.vmid}`} initial=${{ value: shownOf(known, of.config[name]) }} ...${change(of, params)}
		onClose=${onClose} onReload=${onReload}>
		${(field) => field({ name: 'value', label, kind, errorsOf: `${name} delete`, wide: true, autofocus: true,
			hint: hint ?? (kind === 'checkbox' || kind === 'select' ? '' : 'Empty: the default.'), options: offered, ...more })}
	<//>`;
}

export function NetDialog({ name, onClose, onReload, ...of }) {
	const [bridges, setBridges] = useState(undefined);
	const stored = of.config[name] && parse(of.config[name]);
	const used = new Set(Object.keys(of.config).filter((key) => /^net\d/.test(key)).map((key) => parse(of.config[key]).name));
	const free = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => `eth${n}`).find((n) => !used.has(n)) || '';
	const initial = stored ? netValues(stored) : { ...netDefaults, bridge: firstBridge(bridges), name: free };

	useEffect(() => { readBridges(of.entry.node).then(setBridges); }, []);
	if (bridges === undefined) // what is chosen first depends on it
		return null;
	return html`<${FormDialog} title=${`${labelOf(name)} of ${of.entry.vmid}`} wide initial=${initial} onClose=${onClose} onReload=${onReload}
		...${change(of, (v) => ({ [name]: format(name, netParts(v, stored)) }))}>
		${(field, { values }) => html`<${NetFields} field=${field} values=${values} bridges=${bridges} name=${name} />`}
	<//>`;
}

const FEATURES = [
	['nesting', 'Containers inside', 'Mounts /proc and /sys so that containers, and newer systemd, work inside.'],
	['fuse', 'FUSE file systems', ''],
	['keyctl', 'System call keyctl', 'Unprivileged containers only. Docker wants it.'],
	['mknod', 'Making device nodes', 'Privileged containers only.'],
	['force_rw_sys', 'Writable /sys', 'Unprivileged containers only.'],
];

export function FeaturesDialog({ name, onClose, onReload, ...of }) {
	const old = parse(of.config.features);
	const initial = { mount: old.mount ?? '', ...Object.fromEntries(FEATURES.map(([key]) => [key, isOn(old[key])])) };
	const params = (v) => {
		const features = format(name, { ...old, ...v });
		return features ? { features } : { delete: name };
	};
	return html`<${FormDialog} title=${`Features of ${of.entry.vmid}`} initial=${initial} ...${change(of, params)} onClose=${onClose} onReload=${onReload}>
		${(field) => html`${FEATURES.map(([key, label, hint]) => field({ name: key, label, hint, kind: 'checkbox', wide: true, errorsOf: `features.${key}` }))}
			${field({ name: 'mount', label: 'File systems that may be mounted', placeholder: 'nfs;cifs', wide: true, errorsOf: 'features.mount features delete',
				hint: 'Privileged containers only. Separated by semicolons.' })}`}
	<//>`;
}

export function DeviceDialog({ name, onClose, onReload, ...of }) {
	const old = parse(of.config[name], 'path');
	const initial = { path: old.path ?? '', uid: old.uid ?? '', gid: old.gid ?? '', mode: old.mode ?? '', readOnly: isOn(old['deny-write']) };
	const params = ({ readOnly, ...v }) => ({ [name]: format(name, { ...old, ...v, 'deny-write': readOnly }, 'path') });
	return html`<${FormDialog} title=${`${labelOf(name)} of ${of.entry.vmid}`} initial=${initial} ...${change(of, params)} onClose=${onClose} onReload=${onReload}>
		${(field) => html`${field({ name: 'path', label: 'Device of the node', placeholder: '/dev/dri/renderD128', wide: true, errorsOf: `${name}.path ${name}`, autofocus: true })}
			${field({ name: 'uid', label: 'Owner inside (uid)', kind: 'number', min: 0, placeholder: '0', errorsOf: `${name}.uid` })}
			${field({ name: 'gid', label: 'Group inside (gid)', kind: 'number', min: 0, placeholder: '0', errorsOf: `${name}.gid` })}
			${field({ name: 'mode', label: 'Permissions', placeholder: '0660', errorsOf: `${name}.mode` })}
			${field({ name: 'readOnly', label: 'Reading only', kind: 'checkbox', wide: true, errorsOf: `${name}.deny-write` })}`}
	<//>`;
}

const VOLUME = /^(mp|scsi|virtio|sata|ide)\d/;

/** Takes a key away. */
export function RemoveDialog({ name, onClose, onReload, ...of }) {
	const isVolume = VOLUME.test(name) && !/^\//.test(of.config[name] || ''), isUnused = /^unused/.test(name);
	const label = isUnused ? 'Delete' : isVolume ? 'Detach' : 'Remove';
	const why = isUnused ? 'The volume is deleted with all that is on it. There is no way back.'
		: isVolume ? 'The volume stays: it is listed as unused, and can be attached again or deleted.' : 'It is taken out of the configuration.';
	return html`<${FormDialog} title=${`${label} ${labelOf(name).toLowerCase()} of ${of.entry.vmid}?`} label=${label} danger initial=${{}}
		...${change(of, () => ({ delete: name }))} check=${undefined} onClose=${onClose} onReload=${onReload}>
		${() => html`<p class="all mono">${of.config[name]}</p><p class="all">${why}</p>`}
	<//>`;
}
