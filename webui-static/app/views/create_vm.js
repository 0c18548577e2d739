// SPDX-License-Identifier: GPL-2.0-or-later
// A new virtual machine's fields, and what they say to the API.
import { html } from '../html.js';
import { BridgeField, PoolField, StorageField } from '../components/create_fields.js';
import { fileOptions, firstBridge } from '../components/choices.js';
import { FetchFile } from '../components/fetch_file.js';

/** The node tells nothing where it never tried. */
const isTested = (kvm) => kvm?.usable !== undefined;

export function machineDefaults({ vmid, disks, bridges, kvm }) {
	return {
		vmid, name: '', pool: '', memory: '1024', cores: '1', storage: disks[0]?.storage || '', size: '8', iso: '',
		bridge: firstBridge(bridges), kvm: !isTested(kvm) || Boolean(kvm.usable), serial: true, start: false,
	};
}

/** Pure. */
export function machineParams(v) {
	return {
		vmid: v.vmid, name: v.name || undefined, memory: v.memory, cores: v.cores || undefined, ostype: 'l26', scsihw: 'virtio-scsi-pci',
		scsi0: `${v.storage}:${v.size}`, ide2: v.iso ? `${v.iso},media=cdrom` : undefined, net0: v.bridge ? `virtio,bridge=${v.bridge}` : undefined,
		boot: `order=${['scsi0', v.iso && 'ide2', v.bridge && 'net0'].filter(Boolean).join(';')}`, kvm: v.kvm ? undefined : 0,
		serial0: v.serial ? 'socket' : undefined, pool: v.pool || undefined, start: v.start,
	};
}

/** Pure. @param {{usable?: number, reason?: string, outdated?: number}|null} kvm as in GET /nodes/{node}/kvm */
export function kvmHint(kvm) {
	if (!isTested(kvm))
		return 'Not tested on this node. Without it the machine is emulated, which is slow.';
	const found = kvm.usable ? 'It works on this node.' : `It does not work on this node: ${kvm.reason || 'no reason is known'}.`;
	return kvm.outdated ? `${found} That was with another kernel.` : found;
}

function MachineFields({ field, values, choices, onFetch }) {
	const media = fileOptions(choices.files);
	return html`
		${field({ name: 'vmid', label: 'ID', inputmode: 'numeric', required: true })}
		${field({ name: 'name', label: 'Name', placeholder: `VM${values.vmid}` })}
		<${PoolField} field=${field} wide />
		${field({ name: 'memory', label: 'Memory', kind: 'number', min: 16, unit: 'MiB' })}
		${field({ name: 'cores', label: 'Cores', kind: 'number', min: 1 })}
		<${StorageField} field=${field} disks=${choices.disks} label="Disk on" errorsOf="scsi0" />
		${field({ name: 'size', label: 'Size', kind: 'number', min: 0, step: 'any', unit: 'GiB' })}
		${field({ name: 'iso', label: 'ISO image', kind: 'select', wide: true, options: [['', 'none'], ...media], errorsOf: 'ide2' })}
		<${FetchFile} storages=${choices.fileStorages} onOpen=${onFetch} />
		<${BridgeField} field=${field} bridges=${choices.bridges} value=${values.bridge} wide />
		${field({ name: 'kvm', label: 'Use the processor’s virtualisation (KVM)', kind: 'checkbox', wide: true, hint: kvmHint(choices.kvm) })}
		${field({ name: 'serial', label: 'Serial port for a text console', kind: 'checkbox', wide: true, errorsOf: 'serial0' })}
		${field({ name: 'start', label: 'Start it when it is made', kind: 'checkbox', wide: true })}`;
}

export const machineSteps = [['Machine', MachineFields]];
