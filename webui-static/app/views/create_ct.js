// SPDX-License-Identifier: GPL-2.0-or-later
// A new container's fields, and what they say to the API.
import { html } from '../html.js';
import { bytes } from '../format.js';
import { BridgeField, StorageField, FieldOf } from '../components/create_fields.js';

export function containerDefaults({ vmid, disks, files, bridges }) {
	return {
		vmid, hostname: '', ostemplate: files[0]?.volid || '', memory: '512', cores: '1', storage: disks[0]?.storage || '', size: '4',
		bridge: bridges[0] || 'vmbr0', mode: 'dhcp', address: '', gateway: '', password: '', keys: '', start: true,
	};
}

function net(v) {
	const ip = v.mode === 'static' ? v.address : 'dhcp';
	return `name=eth0,bridge=${v.bridge},ip=${ip}${v.mode === 'static' && v.gateway ? `,gw=${v.gateway}` : ''}`;
}

/** Pure. */
export function containerParams(v) {
	return {
		vmid: v.vmid, ostemplate: v.ostemplate, hostname: v.hostname || undefined, memory: v.memory, cores: v.cores || undefined,
		rootfs: `${v.storage}:${v.size}`, net0: v.bridge ? net(v) : undefined, password: v.password || undefined,
		'ssh-public-keys': v.keys.trim() || undefined, start: v.start,
	};
}

const shortName = (volid) => volid.replace(/^([^:]+):vztmpl\//, '$1: ');

export function ContainerFields({ values, set, errors, choices }) {
	const field = FieldOf(values, set, errors);
	const templates = choices.files.map((f) => [f.volid, `${shortName(f.volid)} (${bytes(f.size)})`]);
	return html`
		${field({ name: 'vmid', label: 'ID', inputmode: 'numeric', required: true })}
		${field({ name: 'hostname', label: 'Host name', placeholder: `CT${values.vmid}` })}
		${field({ name: 'ostemplate', label: 'Template', kind: 'select', wide: true, options: templates.length ? templates : [['', 'none on this node']],
			hint: templates.length ? '' : 'Make one available on the node: lodge upload FILE local:vztmpl' })}
		${field({ name: 'memory', label: 'Memory', kind: 'number', min: 16, unit: 'MiB', errorsOf: 'memory swap' })}
		${field({ name: 'cores', label: 'Cores', kind: 'number', min: 1 })}
		<${StorageField} field=${field} disks=${choices.disks} label="Root disk on" errorsOf="rootfs storage" />
		${field({ name: 'size', label: 'Size', kind: 'number', min: 0, step: 'any', unit: 'GiB' })}
		<${BridgeField} field=${field} bridges=${choices.bridges} />
		${field({ name: 'mode', label: 'IPv4', kind: 'select', options: [['dhcp', 'DHCP'], ['static', 'Static']] })}
		${values.mode === 'static' && field({ name: 'address', label: 'Address', placeholder: '192.0.2.10/24' })}
		${values.mode === 'static' && field({ name: 'gateway', label: 'Gateway', placeholder: '192.0.2.1' })}
		${field({ name: 'password', label: 'Password of root', kind: 'password', autocomplete: 'new-password', wide: true })}
		${field({ name: 'keys', label: 'SSH public keys of root', kind: 'textarea', wide: true, errorsOf: 'ssh-public-keys', placeholder: 'ssh-ed25519 …' })}
		${field({ name: 'start', label: 'Start it when it is made', kind: 'checkbox', wide: true })}`;
}
