// SPDX-License-Identifier: GPL-2.0-or-later
// A guest's figures as they change, what it has, and its notes.
import * as api from '../api.js';
import { guestPath } from '../actions.js';
import { html, useEffect, useState } from '../html.js';
import { bytes, duration, percent, share, tags } from '../format.js';
import { href } from '../router.js';
import { useStore } from '../store.js';
import { Markdown } from '../components/markdown.js';
import { Meter } from '../components/meter.js';
import { Sparkline } from '../components/sparkline.js';
import { Tags } from '../components/tags.js';
import { useConfig, useTold } from '../components/use_config.js';

const NO_SAMPLES = [];

function Figure({ label, value, text, samples, max, isCalm }) {
	return html`<section class="panel figure-panel"><h2>${label}</h2>
		<${Meter} value=${value} label=${label} text=${text} isCalm=${isCalm} />
		<${Sparkline} values=${samples} max=${max} label=${`${label}, the last minutes`} /></section>`;
}

function Live({ entry }) {
	const samples = useStore((s) => s.history[entry.id]) || NO_SAMPLES;
	return html`<div class="cards">
		<${Figure} label="CPU" value=${entry.cpu} text=${`${percent(entry.cpu)} of ${entry.maxcpu} ${entry.maxcpu === 1 ? 'core' : 'cores'}`}
			samples=${samples.map((s) => s.cpu)} max=${1} />
		<${Figure} label="Memory" value=${share(entry.mem, entry.maxmem)} text=${`${bytes(entry.mem)} of ${bytes(entry.maxmem)}`}
			samples=${samples.map((s) => s.mem)} max=${entry.maxmem} isCalm=${entry.type === 'qemu'} />
	</div>`;
}

const IS_NET = /^net\d+$/;
const IS_VOLUME = /^(rootfs|mp\d+|scsi\d+|virtio\d+|sata\d+|ide\d+)$/;

function Facts({ entry, items }) {
	const isUp = entry.status === 'running' || entry.status === 'paused';
	const row = (label, value, mono) => html`<div key=${label}><dt>${label}</dt><dd class=${mono ? 'mono' : ''}>${value}</dd></div>`;
	const of = (pattern) => (items || []).filter((i) => pattern.test(i.key) && i.value).map((i) => row(i.key, i.value, true));
	return html`<dl class="facts">
		${row('Uptime', isUp ? duration(entry.uptime) : '–')}
		${row('Cores', entry.maxcpu)}${row('Memory', bytes(entry.maxmem))}${row('Disk', bytes(entry.maxdisk))}
		${isUp && row('Network in / out', `${bytes(entry.netin)} / ${bytes(entry.netout)}`)}
		${isUp && row('Disk read / written', `${bytes(entry.diskread)} / ${bytes(entry.diskwrite)}`)}
		${entry.pool && row('Pool', html`<a href=${href('pool', entry.pool)}>${entry.pool}</a>`)}
		${tags(entry.tags).length > 0 && row('Tags', html`<${Tags} list=${tags(entry.tags)} />`)}
		${of(IS_VOLUME)}${of(IS_NET)}
	</dl>`;
}

const ENDS = {
	oom: 'It stopped because its memory was used up: the kernel ended it.',
	killed: 'It stopped because something on the node killed its first process.',
	crashed: 'It stopped because its first process crashed.',
	exited: 'It stopped because its first process ended with an error.',
	failed: 'It stopped because its emulator failed.',
};

/** Why it stopped, where that was nobody's wish, and what its configuration asks for and the node does not do. */
function Notices({ entry, digest }) {
	const [status, setStatus] = useState({});
	const told = useTold(entry);
	const guest = guestPath(entry);

	useEffect(() => {
		let isGone = false;
		if (told === null)
			return undefined;
		api.get(`${guest}/status/current`).then((now) => isGone || setStatus(now), () => {});
		return () => { isGone = true; };
	}, [guest, digest, told]);
	const texts = [...(ENDS[status.reason] ? [ENDS[status.reason]] : []), ...(status.notices || [])];
	return texts.length > 0 && html`<section class="panel pad" role="note"><h2>Please note</h2>
		${texts.map((text) => html`<p key=${text}>${text}</p>`)}</section>`;
}

export function GuestSummary({ entry }) {
	const { items, value, digest } = useConfig(entry);
	const isUp = entry.status === 'running' || entry.status === 'paused';
	const notes = value('description');
	return html`${isUp && html`<${Live} entry=${entry} />`}
		${digest && html`<${Notices} entry=${entry} digest=${digest} />`}
		<section class="panel pad"><h2>Facts</h2><${Facts} entry=${entry} items=${items} /></section>
		${notes && html`<section class="panel pad"><h2>Notes</h2><${Markdown} text=${notes} /></section>`}`;
}
