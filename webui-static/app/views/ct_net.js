// SPDX-License-Identifier: GPL-2.0-or-later
// A container's network interface: its fields, and the property string that they stand for.
import { html } from '../html.js';
import { isOn } from '../propstring.js';
import { BridgeField, MoreFields } from '../components/create_fields.js';

/* how an address comes: what is chosen → what is written; static ones have a field of their own */
const IPV4 = [['dhcp', 'DHCP'], ['static', 'Static'], ['', 'None']];
const IPV6 = [['', 'None'], ['auto', 'Automatic (SLAAC)'], ['dhcp', 'DHCPv6'], ['static', 'Static']];
const WORDS = ['dhcp', 'auto', 'manual'];

export const NO_FIREWALL = 'The firewall of this card is switched on, but this version does not enforce it: everything passes.';

export const netDefaults = {
	name: 'eth0', bridge: 'vmbr0', hwaddr: '', mode: 'dhcp', address: '', gateway: '', mode6: '', address6: '', gateway6: '', tag: '', rate: '', mtu: '',
	link_down: false, firewall: false, trunks: '', managed: false,
};

const modeOf = (ip) => (ip === undefined || ip === 'manual' ? '' : WORDS.includes(ip) ? ip : 'static');
const addressOf = (ip) => (modeOf(ip) === 'static' ? ip : '');

/** Pure. What the fields show of parts. */
export function netValues(parts) {
	return {
		name: parts.name ?? '', bridge: parts.bridge ?? '', hwaddr: parts.hwaddr ?? '',
		mode: modeOf(parts.ip), address: addressOf(parts.ip), gateway: parts.gw ?? '',
		mode6: modeOf(parts.ip6), address6: addressOf(parts.ip6), gateway6: parts.gw6 ?? '',
		tag: parts.tag ?? '', rate: parts.rate ?? '', mtu: parts.mtu ?? '', link_down: isOn(parts.link_down), firewall: isOn(parts.firewall),
		trunks: parts.trunks ?? '', managed: isOn(parts['host-managed']),
	};
}

const written = (mode, address) => (mode === 'static' ? address.trim() || '-' : mode); // "-": for the node to refuse

/** Pure. The parts of the fields' values, upon those that have no field. */
export function netParts(v, old = {}) {
	const isStatic = v.mode === 'static', isStatic6 = v.mode6 === 'static';
	return {
		...old, name: v.name, bridge: v.bridge, hwaddr: v.hwaddr,
		ip: written(v.mode, v.address), gw: isStatic ? v.gateway : '', ip6: written(v.mode6, v.address6), gw6: isStatic6 ? v.gateway6 : '',
		tag: v.tag, rate: v.rate, mtu: v.mtu, link_down: v.link_down, firewall: v.firewall,
		trunks: v.trunks, 'host-managed': v.managed,
	};
}

/* the usual ways to be in a network: what they set */
const PRESETS = [
	['DHCP', { mode: 'dhcp', mode6: '' }], ['DHCP and IPv6', { mode: 'dhcp', mode6: 'auto' }], ['Fixed address', { mode: 'static', mode6: '' }], ['No network', { bridge: '' }],
];

/** Pure. The name of the preset that values are like, or undefined. */
export function presetOf(v) {
	return v.bridge ? PRESETS.find(([, set]) => set.mode === v.mode && set.mode6 === v.mode6)?.[0] : 'No network';
}

/** Pure. What a preset sets. A fixed address needs a way out: the bridge's own, or the node itself where the bridge has none. */
export function presetValues(name, v, networks) {
	const [, set] = PRESETS.find(([key]) => key === name);
	const bridge = set.bridge ?? (v.bridge || networks[0]?.iface || 'vmbr0');
	const on = networks.find((n) => n.iface === bridge);
	const gateway = set.mode === 'static' ? v.gateway || on?.gateway || on?.cidr?.split('/')[0] || '' : v.gateway;
	return { ...set, bridge, gateway };
}

export function NetPresets({ form, networks }) {
	const now = presetOf(form.values);
	const choose = (name) => () => form.setValues((old) => ({ ...old, ...presetValues(name, old, networks) }));
	return html`<div class="all"><span class="choice wrap" role="group" aria-label="Network">${PRESETS.map(([name]) =>
		html`<button type="button" key=${name} aria-pressed=${name === now ? 'true' : 'false'} onClick=${choose(name)}>${name}</button>`)}</span></div>`;
}

/** name: the key of the configuration, for errors. */
export function NetFields({ field, values, bridges, name }) {
	const of = (part) => `${name}.${part}`;
	return html`
		<${BridgeField} field=${field} bridges=${bridges} value=${values.bridge} errorsOf=${`${of('bridge')} ${name}`} />
		${field({ name: 'name', label: 'Name inside', errorsOf: of('name'), placeholder: 'eth0' })}
		${field({ name: 'mode', label: 'IPv4', kind: 'select', options: IPV4, wide: values.mode !== 'static', errorsOf: values.mode === 'static' ? '' : of('ip') })}
		${values.mode === 'static' && field({ name: 'address', label: 'Address', placeholder: '192.0.2.10/24', errorsOf: of('ip') })}
		${values.mode === 'static' && field({ name: 'gateway', label: 'Gateway', placeholder: '192.0.2.1', wide: true, errorsOf: of('gw') })}
		${field({ name: 'mode6', label: 'IPv6', kind: 'select', options: IPV6, wide: values.mode6 !== 'static', errorsOf: values.mode6 === 'static' ? '' : of('ip6') })}
		${values.mode6 === 'static' && field({ name: 'address6', label: 'IPv6 address', placeholder: '2001:db8::10/64', errorsOf: of('ip6') })}
		${values.mode6 === 'static' && field({ name: 'gateway6', label: 'IPv6 gateway', placeholder: '2001:db8::1', wide: true, errorsOf: of('gw6') })}
		${field({ name: 'hwaddr', label: 'Hardware address', placeholder: 'a new one', errorsOf: of('hwaddr') })}
		${field({ name: 'tag', label: 'VLAN tag', kind: 'number', min: 1, max: 4094, placeholder: 'none', errorsOf: of('tag') })}
		${field({ name: 'rate', label: 'Limit of rate', kind: 'number', min: 0, step: 'any', unit: 'MB/s', placeholder: 'none', errorsOf: of('rate') })}
		${field({ name: 'mtu', label: 'MTU', kind: 'number', min: 64, placeholder: 'that of the bridge', errorsOf: of('mtu') })}
		${field({ name: 'link_down', label: 'Unplugged', kind: 'checkbox', wide: true, errorsOf: of('link_down') })}
		<${MoreFields} isOpen=${Boolean(values.trunks || values.managed || values.firewall)}>
			${field({ name: 'trunks', label: 'Trunk: VLANs that pass as they are', placeholder: '10;20;30', wide: true, errorsOf: of('trunks') })}
			${field({ name: 'managed', label: 'The node sets its addresses inside', kind: 'checkbox', wide: true, errorsOf: of('host-managed'),
				hint: 'For systems whose own network configuration Lodge does not write.' })}
			${field({ name: 'firewall', label: 'Firewall: kept, not enforced', kind: 'checkbox', wide: true, errorsOf: of('firewall'), hint: values.firewall ? NO_FIREWALL : '' })}<//>`;
}
