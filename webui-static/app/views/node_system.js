// SPDX-License-Identifier: GPL-2.0-or-later
// A node's name servers, its hosts file, its time zone.
import * as api from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { FieldOf, FormMessage, useForm } from '../components/form.js';

const dnsParams = (v) => Object.fromEntries(Object.entries(v).filter(([, value]) => value !== ''));
const zones = () => Intl.supportedValuesOf?.('timeZone') || [];

/** Parts: where they are read and written, and their fields. */
const PARTS = [
	{
		name: 'dns', title: 'DNS', method: 'PUT', values: (d) => ({ search: d.search ?? '', dns1: d.dns1 ?? '', dns2: d.dns2 ?? '', dns3: d.dns3 ?? '' }), params: dnsParams,
		fields: (field) => html`${field({ name: 'search', label: 'Search domains', wide: true })}${field({ name: 'dns1', label: 'First server' })}
			${field({ name: 'dns2', label: 'Second server' })}${field({ name: 'dns3', label: 'Third server' })}`,
	},
	{
		name: 'time', title: 'Time', method: 'PUT', values: ({ timezone }) => ({ timezone }), params: (v) => v,
		fields: (field, { timezone }) => field({ name: 'timezone', label: 'Time zone', kind: 'select', wide: true,
			options: [...new Set(['UTC', timezone, ...zones()])].map((z) => [z, z]) }),
	},
	{
		name: 'hosts', title: 'Hosts file', method: 'POST', values: ({ data }) => ({ data }), params: (v, read) => ({ ...v, digest: read.digest }),
		fields: (field) => field({ name: 'data', label: 'Names and addresses that this node knows by itself', kind: 'textarea', rows: 10, wide: true }),
	},
];

function Part({ part, node, read, mayChange, onRead }) {
	const path = api.path('nodes', node, part.name);
	const call = (v) => ({ method: part.method, path, params: part.params(v, read) });
	const send = async (v) => (part.method === 'PUT' ? api.put : api.post)(path, call(v).params);
	const [isSaved, setSaved] = useState(false);
	const form = useForm({ initial: part.values(read), version: read.digest, check: call, send, onDone: () => { setSaved(true); onRead().catch(() => {}); }, onReload: onRead });
	return html`<form ref=${form.ref} onSubmit=${form.submit} onInput=${() => setSaved(false)} noValidate><div class="fields">${part.fields(FieldOf(form), form.values)}</div>
		<${FormMessage} form=${form} />
		<footer><span class="faint" role="status">${isSaved ? 'Saved.' : ''}</span>${mayChange && html`<button type="submit" class="main" disabled=${form.isBusy}>Save</button>`}</footer></form>`;
}

function Panel({ part, node, mayChange }) {
	const [read, setRead] = useState(null);
	const [error, setError] = useState(null);
	const load = () => api.get(api.path('nodes', node, part.name)).then(setRead);
	useEffect(() => { load().catch(setError); }, [node]);
	return html`<section class="panel pad system" aria-label=${part.title}><h2>${part.title}</h2>
		${read ? html`<${Part} part=${part} node=${node} read=${read} mayChange=${mayChange} onRead=${load} />`
			: html`<p class="faint">${error ? (api.isMissing(error) ? 'Not available on this node.' : error.message) : 'Loading…'}</p>`}</section>`;
}

export function NodeSystem({ node, may }) {
	return PARTS.map((part) => html`<${Panel} key=${part.name} part=${part} node=${node} mayChange=${may('Sys.Modify')} />`);
}
