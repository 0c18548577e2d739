// SPDX-License-Identifier: GPL-2.0-or-later
// A new container's fields in steps, and what they say to the API.
import { html } from '../html.js';
import { format } from '../propstring.js';
import { Facts, PoolField, StorageField } from '../components/create_fields.js';
import { fileName, fileOptions, firstBridge } from '../components/choices.js';
import { FetchFile } from '../components/fetch_file.js';
import { netDefaults, NetFields, netParts, NetPresets } from './ct_net.js';
import { TemplateMaker } from './template_maker.js';

export function containerDefaults({ vmid, disks, files, bridges }) {
	return {
		...netDefaults, vmid, hostname: '', pool: '', ostemplate: files[0]?.volid || '', memory: '512', swap: '512', cores: '1', cpulimit: '',
		storage: disks[0]?.storage || '', size: '4', bridge: firstBridge(bridges), nameserver: '', searchdomain: '', password: '', keys: '',
		unprivileged: true, nesting: false, keyctl: false, fuse: false, onboot: false, startup: '', tags: '', description: '', start: true,
	};
}

/** Pure. */
export function containerParams(v) {
	const features = format('features', { nesting: v.nesting, keyctl: v.unprivileged && v.keyctl, fuse: v.fuse });
	return {
		vmid: v.vmid, ostemplate: v.ostemplate, hostname: v.hostname || undefined, memory: v.memory, swap: v.swap || undefined, cores: v.cores || undefined,
		cpulimit: v.cpulimit || undefined, rootfs: `${v.storage}:${v.size}`, net0: v.bridge ? format('net0', netParts(v)) : undefined,
		nameserver: v.nameserver || undefined, searchdomain: v.searchdomain || undefined, password: v.password || undefined,
		'ssh-public-keys': v.keys.trim() || undefined, unprivileged: v.unprivileged ? undefined : 0, features: features || undefined,
		onboot: v.onboot || undefined, startup: v.startup || undefined, tags: v.tags || undefined, description: v.description || undefined, pool: v.pool || undefined, start: v.start,
	};
}

function General({ field, values }) {
	return html`
		${field({ name: 'vmid', label: 'ID', inputmode: 'numeric', required: true })}
		${field({ name: 'hostname', label: 'Host name', placeholder: `CT${values.vmid}` })}
		<${PoolField} field=${field} wide />
		${field({ name: 'password', label: 'Password of root', kind: 'password', autocomplete: 'new-password', wide: true })}
		${field({ name: 'keys', label: 'SSH public keys of root', kind: 'textarea', wide: true, errorsOf: 'ssh-public-keys', placeholder: 'ssh-ed25519 …' })}
		${field({ name: 'unprivileged', label: 'Unprivileged: its root is nobody on the node', kind: 'checkbox', wide: true,
			hint: values.unprivileged ? '' : 'Its root is the node’s root: only for systems that you trust as the node itself.' })}
		${field({ name: 'nesting', label: 'Containers inside (nesting)', kind: 'checkbox', errorsOf: 'features.nesting features' })}
		${field({ name: 'fuse', label: 'FUSE file systems', kind: 'checkbox', errorsOf: 'features.fuse' })}
		${values.unprivileged && field({ name: 'keyctl', label: 'System call keyctl', kind: 'checkbox', errorsOf: 'features.keyctl' })}`;
}

function Template({ field, choices, form, node, onFiles, onFetch }) {
	const made = (volid, files) => {
		onFiles(files);
		form.set('ostemplate')(volid);
	};
	const options = fileOptions(choices.files);
	return html`
		${field({ name: 'ostemplate', label: 'Template', kind: 'select', wide: true, options: options.length ? options : [['', 'none on this node']] })}
		<div class="all"><${TemplateMaker} node=${node} recipes=${choices.recipes} storages=${choices.fileStorages} onMade=${made} /></div>
		<${FetchFile} storages=${choices.fileStorages} onOpen=${onFetch} />`;
}

function Resources({ field, choices }) {
	return html`
		<${StorageField} field=${field} disks=${choices.disks} label="Root disk on" errorsOf="rootfs storage" />
		${field({ name: 'size', label: 'Size', kind: 'number', min: 0, step: 'any', unit: 'GiB', errorsOf: 'size rootfs.volume' })}
		${field({ name: 'memory', label: 'Memory', kind: 'number', min: 16, unit: 'MiB' })}
		${field({ name: 'swap', label: 'Swap', kind: 'number', min: 0, unit: 'MiB' })}
		${field({ name: 'cores', label: 'Cores', kind: 'number', min: 1, placeholder: 'all' })}
		${field({ name: 'cpulimit', label: 'Processor time at most', kind: 'number', min: 0, step: 'any', unit: 'cores', placeholder: 'no limit' })}`;
}

const Network = ({ field, form, values, choices }) => html`<${NetPresets} form=${form} networks=${choices.networks} />
	${values.bridge && html`<${NetFields} field=${field} values=${values} bridges=${choices.bridges} name="net0" />`}`;

function Options({ field }) {
	return html`
		${field({ name: 'nameserver', label: 'Name servers', placeholder: 'those of the node' })}
		${field({ name: 'searchdomain', label: 'Search domain', placeholder: 'that of the node' })}
		${field({ name: 'tags', label: 'Tags', placeholder: 'web;edge' })}
		${field({ name: 'startup', label: 'Start and stop order', placeholder: 'order=1,up=30' })}
		${field({ name: 'description', label: 'Notes', kind: 'textarea', wide: true })}
		${field({ name: 'onboot', label: 'Start with the node', kind: 'checkbox', wide: true })}`;
}

const addresses = (v) => [v.mode === 'static' ? v.address : v.mode, v.mode6 === 'static' ? v.address6 : v.mode6].filter(Boolean).join(', ') || 'no address';

function Summary({ field, values: v }) {
	const features = ['nesting', 'fuse', v.unprivileged && 'keyctl'].filter((name) => name && v[name]);
	const rows = [
		['ID', v.vmid], ['Host name', v.hostname || `CT${v.vmid}`], ['Template', fileName(v.ostemplate)], ['Root disk', `${v.size} GiB on ${v.storage}`],
		['Memory and swap', `${v.memory || 512} and ${v.swap || 512} MiB`], ['Cores', v.cores || 'all'], ['Processor time', v.cpulimit && `${v.cpulimit} cores at most`],
		['Network', v.bridge ? `${v.name} on ${v.bridge}: ${addresses(v)}` : 'none'], ['VLAN', v.tag], ['Name servers', v.nameserver],
		['Root may log in', [v.password && 'by password', v.keys.trim() && 'by key'].filter(Boolean).join(', ') || 'in no way: neither password nor key'],
		['Kind', v.unprivileged ? 'unprivileged' : 'privileged'], ['Features', features.join(', ')], ['Start with the node', v.onboot ? 'yes' : 'no'], ['Tags', v.tags], ['Pool', v.pool],
	];
	return html`<${Facts} rows=${rows} />
		${field({ name: 'start', label: 'Start it when it is made', kind: 'checkbox', wide: true })}`;
}

export const containerSteps = [['General', General], ['Template', Template], ['Resources', Resources], ['Network', Network], ['Options', Options], ['Summary', Summary]];
