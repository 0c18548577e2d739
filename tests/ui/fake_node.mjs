// SPDX-License-Identifier: GPL-2.0-or-later
// A node that is none: the page with invented guests, to work on its looks without a lab. No test uses it.
//
//   node fake_node.mjs [PORT] [--no-events] [--empty]        http://localhost:PORT/, any user, password "lodge"
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../webui-static', import.meta.url));
const port = Number(process.argv[2] || 8080);
const has = (flag) => process.argv.includes(flag);
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";
const GIB = 1024 ** 3;
const now = () => Math.floor(Date.now() / 1000);

/* ---- what is there ---- */

const guests = new Map();
const tasks = [];
const streams = new Set();
let serial = 0;

function add(type, vmid, name, status, more = {}) {
	guests.set(`${type}/${vmid}`, {
		id: `${type}/${vmid}`, type, vmid, name, status, node: 'pine', template: 0, cpu: 0, maxcpu: 2, mem: 0, maxmem: GIB, disk: 0, maxdisk: 8 * GIB,
		netin: 0, netout: 0, diskread: 0, diskwrite: 0, uptime: 0, ...more,
	});
}

if (!has('--empty')) {
	add('lxc', 100, 'proxy', 'running', { tags: 'web;edge', pool: 'household' });
	add('lxc', 101, 'database', 'running', { maxmem: 4 * GIB, maxcpu: 4, tags: 'db', pool: 'household' });
	add('lxc', 102, 'wiki', 'stopped');
	add('qemu', 200, 'home-assistant', 'running', { maxmem: 2 * GIB, uptime: 864000 });
	add('qemu', 201, 'build-runner', 'running', { maxmem: 8 * GIB, maxcpu: 4, uptime: 86400 * 3, tags: 'ci' });
	add('qemu', 202, 'old-mail', 'stopped', { lock: 'backup' });
}

function figures() {
	for (const g of guests.values()) {
		const up = g.status === 'running';
		g.cpu = up ? Math.max(0.004, Math.min(1, (g.cpu || 0.1 * (g.vmid % 7)) + (Math.random() - 0.5) / 12)) : 0;
		g.mem = up ? Math.floor(g.maxmem * Math.min(0.95, 0.3 + (g.vmid % 5) / 8 + Math.random() / 50)) : 0;
		g.uptime = up ? g.uptime + 5 : 0;
		g.netin += up ? 50000 : 0;
	}
}
const node = () => ({ id: 'node/pine', type: 'node', node: 'pine', status: 'online', level: '', cpu: 0.1 + Math.random() / 10, maxcpu: 8, mem: 11.3 * GIB, maxmem: 32 * GIB, disk: 41 * GIB, maxdisk: 220 * GIB, uptime: 1234567, 'cgroup-mode': 2 });
const storage = { id: 'storage/pine/local', type: 'storage', storage: 'local', node: 'pine', plugintype: 'dir', content: 'iso,vztmpl,images,rootdir', shared: 0, status: 'available', disk: 41 * GIB, maxdisk: 220 * GIB };

function emit(type, data) {
	for (const s of streams)
		s.write(`id: boot-${++serial}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
}
function run(type, id, then, seconds = 1.5) {
	const upid = `UPID:pine:00001000:00002000:${now().toString(16).toUpperCase().padStart(8, '0')}:${type}:${id}:admin@pve:`;
	const task = { upid, node: 'pine', pid: 4096, pstart: 8192, starttime: now(), type, id: String(id), user: 'admin@pve', log: [`${type} ${id}`] };
	tasks.unshift(task);
	emit('task', task);
	setTimeout(() => {
		const status = then() || 'OK';
		Object.assign(task, { endtime: now(), status });
		task.log.push(`TASK ${status === 'OK' ? 'OK' : `ERROR: ${status}`}`);
		emit('task', { ...task, log: undefined });
	}, seconds * 1000);
	return upid;
}
function become(g, status) {
	g.status = status;
	emit('guest', g);
}

/* ---- calls ---- */

class Fail extends Error {
	constructor(status, message, errors) {
		super(message);
		Object.assign(this, { status, errors });
	}
}
const find = (type, id) => guests.get(`${type}/${id}`) || (() => { throw new Fail(500, `Configuration file 'nodes/pine/${type}/${id}.conf' does not exist`); })();
const config = (g) => ({ digest: 'abc', memory: g.maxmem / 1024 ** 2, cores: g.maxcpu, [g.type === 'lxc' ? 'hostname' : 'name']: g.name, description: 'Notes with <b>no</b> markup.\nSecond line.',
	net0: g.type === 'lxc' ? 'name=eth0,bridge=vmbr0,hwaddr=BC:24:11:AA:BB:CC,ip=dhcp' : 'virtio=BC:24:11:AA:BB:CC,bridge=vmbr0', [g.type === 'lxc' ? 'rootfs' : 'scsi0']: `local:${g.vmid}/vm-${g.vmid}-disk-0.raw,size=8G`, ...(g.type === 'qemu' ? { serial0: 'socket' } : { unprivileged: 1, mp0: 'local:101/vm-101-disk-1.raw,mp=/srv/data,size=32G', unused0: 'local:101/vm-101-disk-2.raw', net1: 'name=eth1,bridge=vmbr1,hwaddr=BC:24:11:AA:BB:CD,ip=10.9.0.2/24,firewall=1', features: 'nesting=1' }) });
const check = (p) => ({
	...(p.vmid && Number(p.vmid) < 100 ? { vmid: 'value must have a minimum value of 100' } : {}),
	...(/[^\w./-]/.test(p.poolid || '') ? { poolid: 'value does not look like a valid pool id' } : {}),
});
const interfaces = [
	{ iface: 'eno1', type: 'eth', method: 'manual', active: 1, exists: 1, managed: 'host' },
	{ iface: 'vmbr0', type: 'bridge', method: 'static', cidr: '192.168.1.10/24', gateway: '192.168.1.1', bridge_ports: 'eno1', active: 1, exists: 1, managed: 'lodge', comments: 'to the house' },
	{ iface: 'vmbr1', type: 'bridge', method: 'static', cidr: '10.9.0.1/24', bridge_ports: '', managed: 'lodge' },
];
const CHANGES = '--- interfaces\n+++ interfaces.new\n@@ -4,0 +5,3 @@\n+bridge vmbr1\n+\tcidr 10.9.0.1/24\n+\tautostart 1\n';
const snapshots = [
	{ name: 'fresh', description: 'Right after the installation.', snaptime: 1790000000 },
	{ name: 'before-upgrade', description: '', snaptime: 1795000000, parent: 'fresh' },
	{ name: 'trial', description: 'Another database, for a try.', snaptime: 1796000000, parent: 'fresh' },
	{ name: 'current', description: 'You are here!', parent: 'before-upgrade', running: 1 },
];
const pools = [{ poolid: 'household', comment: 'What everybody here uses', storages: ['local'] }, { poolid: 'lab', storages: [] }];
const poolOf = (id) => pools.find((p) => p.poolid === id) || (() => { throw new Fail(500, `pool '${id}' does not exist`); })();
const members = (pool) => [...[...guests.values()].filter((g) => g.pool === pool.poolid), ...(pool.storages.length ? [storage] : [])];
function changePool(p) {
	const pool = poolOf(p.poolid);
	const add = p.delete !== '1';
	for (const id of (p.vms || '').split(',').filter(Boolean)) {
		const g = [...guests.values()].find((x) => String(x.vmid) === id);
		if (add && g.pool && p['allow-move'] !== '1')
			throw new Fail(400, 'Parameter verification failed.', { vms: `VM ${id} belongs already to pool '${g.pool}'` });
		g.pool = add ? pool.poolid : undefined;
		emit('guest', g);
	}
	if (p.storage)
		pool.storages = add ? ['local'] : [];
	pool.comment = p.comment ?? pool.comment;
}
const ACTIONS = { suspend: 'paused', resume: 'running', start: 'running', stop: 'stopped', shutdown: 'stopped', reboot: 'running', reset: 'running' };

const routes = [
	['GET', /^\/access\/domains$/, () => [{ realm: 'pve', type: 'pve', comment: 'Lodge users' }, { realm: 'pam', type: 'pam' }]],
	['POST', /^\/access\/ticket$/, (p) => {
		if (p.password !== 'lodge' && !p.password.startsWith('PVE:'))
			throw new Fail(401, 'authentication failure');
		const user = p.realm ? `${p.username}@${p.realm}` : p.username;
		return { ticket: `PVE:${user}:${now().toString(16).toUpperCase()}::sig`, CSRFPreventionToken: 'x', username: user, cap: {} };
	}],
	['GET', /^\/cluster\/resources$/, () => [...guests.values(), node(), storage, ...pools.map((p) => ({ id: `/pool/${p.poolid}`, type: 'pool', pool: p.poolid }))]],
	['GET', /^\/pools$/, (p) => (p.poolid ? [poolOf(p.poolid)] : pools).map((pool) => ({ poolid: pool.poolid, comment: pool.comment, ...(p.poolid ? { members: members(pool) } : {}) }))],
	['GET', /^\/pools\/(\w+)$/, (p, id) => ({ comment: poolOf(id).comment, members: members(poolOf(id)) })],
	['POST', /^\/pools$/, (p) => { pools.push({ poolid: p.poolid, comment: p.comment, storages: [] }); emit('config', {}); }],
	['PUT', /^\/pools$/, (p) => { changePool(p); emit('config', {}); }],
	['DELETE', /^\/pools$/, (p) => {
		if (members(poolOf(p.poolid)).length)
			throw new Fail(500, `pool '${p.poolid}' is not empty`);
		pools.splice(pools.indexOf(poolOf(p.poolid)), 1);
		emit('config', {});
	}],
	['POST', /^\/nodes\/pine\/status$/, () => null],
	['POST', /^\/nodes\/pine\/(startall|stopall)$/, (p, verb) => run(verb, '', () => { for (const g of guests.values()) become(g, verb === 'startall' ? 'running' : 'stopped'); })],
	['GET', /^\/cluster\/tasks$/, () => tasks.slice(0, 50)],
	['GET', /^\/cluster\/nextid$/, () => { let n = 100; while (guests.has(`lxc/${n}`) || guests.has(`qemu/${n}`)) n++; return String(n); }],
	['GET', /^\/nodes\/pine$/, () => ['aplinfo', 'kvm', 'lxc', 'network', 'qemu'].map((name) => ({ name }))],
	['POST', /^\/lodge\/check$/, (p) => ({ errors: check(JSON.parse(p.params)) })],
	['GET', /^\/nodes\/pine\/aplinfo$/, () => ['Debian 12 (bookworm), minimal with systemd', 'Debian 13 (trixie), minimal with systemd'].map((headline, n) => ({ template: `debian-${12 + n}.tar.zst`, headline }))],
	['POST', /^\/nodes\/pine\/aplinfo$/, (p) => run('download', p.template, () => {}, 6)],
	['GET', /^\/nodes\/pine\/network$/, (p) => interfaces.filter((i) => !p.type || i.type === 'bridge')],
	['GET', /^\/nodes\/pine\/dns$/, () => ({ search: 'home.arpa', dns1: '192.168.1.1', dns2: '9.9.9.9' })],
	['GET', /^\/nodes\/pine\/time$/, () => ({ time: now(), localtime: now() + 3600, timezone: 'Europe/Berlin' })],
	['GET', /^\/nodes\/pine\/hosts$/, () => ({ data: '127.0.0.1 localhost\n192.168.1.10 pine.home.arpa pine\n', digest: 'abc' })],
	['GET', /^\/nodes\/pine\/(lxc|qemu)\/(\d+)\/snapshot$/, () => snapshots],
	['GET', /^\/nodes\/pine\/(lxc|qemu)\/(\d+)\/feature$/, (p, type) => (type === 'lxc' ? { hasFeature: 1 } : { hasFeature: 0, reason: 'feature not available: snapshot of a running virtual machine' })],
	['GET', /^\/nodes\/pine\/storage\/local\/status$/, () => ({ used: 41 * GIB, total: 220 * GIB, avail: 179 * GIB, active: 1 })],
	['GET', /^\/storage\/local$/, () => ({ storage: 'local', type: 'dir', path: '/var/lib/lodge/local', content: storage.content, digest: 'abc' })],
	['GET', /^\/nodes\/pine\/status$/, () => ({ uptime: 1234567, cpu: 0.2, loadavg: ['0.31', '0.40', '0.38'], cpuinfo: { model: 'Example CPU', cpus: 8 }, swap: { used: 0, total: GIB }, 'current-kernel': { sysname: 'Linux', release: '6.1.0-30-amd64' } })],
	['GET', /^\/nodes\/pine\/kvm$/, () => ({ usable: 0, reason: 'a test guest did not run', tested: now(), kernel: '6.1', outdated: 0 })],
	['GET', /^\/nodes\/pine\/storage$/, () => [{ ...storage, active: 1, enabled: 1, avail: 179 * GIB }]],
	['GET', /^\/nodes\/pine\/storage\/local\/content$/, (p) => [{ volid: 'local:iso/debian.iso', content: 'iso', format: 'iso', size: 660e6, ctime: now() }, { volid: 'local:vztmpl/debian-bookworm_amd64.tar.zst', content: 'vztmpl', format: 'tzst', size: 88e6, ctime: now() }].filter((v) => !p.content || v.content === p.content)],
	['GET', /^\/nodes\/pine\/tasks$/, (p) => tasks.filter((t) => !p.vmid || t.id === p.vmid)],
	['GET', /^\/nodes\/pine\/tasks\/([^/]+)\/log$/, (p, upid) => tasks.find((t) => t.upid === upid).log.map((t, i) => ({ n: i + 1, t })).slice(Number(p.start || 0))],
	['POST', /^\/nodes\/pine\/(lxc|qemu)$/, (p, type) => {
		if (guests.has(`${type}/${p.vmid}`))
			throw new Fail(400, 'Parameter verification failed.', { vmid: `VM ${p.vmid} already exists` });
		if (Number(p.memory) < 16)
			throw new Fail(400, 'Parameter verification failed.', { memory: 'value must have a minimum value of 16' });
		add(type, Number(p.vmid), p.hostname || p.name || `CT${p.vmid}`, 'stopped', { lock: 'create', maxmem: p.memory * 1024 ** 2 });
		const g = find(type, p.vmid);
		emit('guest', g);
		return run(type === 'lxc' ? 'vzcreate' : 'qmcreate', p.vmid, () => { delete g.lock; become(g, p.start === '1' ? 'running' : 'stopped'); });
	}],
	['POST', /^\/nodes\/pine\/(lxc|qemu)\/(\d+)\/status\/(\w+)$/, (p, type, id, verb) => {
		const g = find(type, id);
		return run((type === 'lxc' ? 'vz' : 'qm') + verb, id, () => (verb === 'reset' ? 'nobody answered in time; everything is as it was before, and will be for long' : become(g, ACTIONS[verb])));
	}],
	['POST', /^\/nodes\/pine\/(lxc|qemu)\/(\d+)\/clone$/, (p, type, id) => {
		add(type, Number(p.newid), p.hostname || p.name || find(type, id).name, 'stopped', { pool: p.pool });
		emit('guest', find(type, p.newid));
		return run(type === 'lxc' ? 'vzclone' : 'qmclone', id, () => {});
	}],
	['POST', /^\/nodes\/pine\/(lxc|qemu)\/(\d+)\/(termproxy|vncproxy)$/, (p, type, id) => ({ port: 5900, ticket: 'PVEVNC:x+y=', upid: run('vncproxy', id, () => 'OK', 60), user: 'admin@pve' })],
	['GET', /^\/nodes\/pine\/(lxc|qemu)\/(\d+)\/status\/current$/, (p, type, id) => find(type, id)],
	['GET', /^\/nodes\/pine\/(lxc|qemu)\/(\d+)\/config$/, (p, type, id) => config(find(type, id))],
	['PUT', /^\/nodes\/pine\/(lxc|qemu)\/(\d+)\/config$/, () => { throw new Fail(400, 'Parameter verification failed.', { memory: 'value must have a minimum value of 16' }); }],
	['GET', /^\/nodes\/pine\/(lxc|qemu)\/(\d+)\/pending$/, (p, type, id) => Object.entries(config(find(type, id))).map(([key, value]) => (key === 'memory' ? { key, value, pending: 2048 } : { key, value }))],
	['DELETE', /^\/nodes\/pine\/(lxc|qemu)\/(\d+)$/, (p, type, id) => run(type === 'lxc' ? 'vzdestroy' : 'qmdestroy', id, () => { guests.delete(`${type}/${id}`); emit('guest-gone', { id: `${type}/${id}` }); })],
];

function answer(request, response, path, params) {
	let status = 200, body;
	try {
		const route = routes.find(([verb, pattern]) => verb === request.method && pattern.test(path));
		if (!route)
			throw new Fail(501, `Method '${request.method} ${path}' not implemented`);
		body = { data: route[2](params, ...route[1].exec(path).slice(1)) ?? null, ...(path.endsWith('/network') ? { changes: CHANGES } : {}) };
	} catch (error) {
		status = error.status || 500;
		body = { data: null, errors: error.errors, message: `${error.message}\n` };
	}
	response.writeHead(status, { 'content-type': 'application/json;charset=UTF-8' });
	response.end(JSON.stringify(body));
}

function stream(request, response) {
	response.writeHead(200, { 'content-type': 'text/event-stream' });
	response.write('event: sync\ndata: {"reason":"new"}\n\n');
	streams.add(response);
	request.on('close', () => streams.delete(response));
}

function serve(response, path) {
	const file = normalize(join(root, path === '/' ? 'index.html' : path));
	const there = statSync(file, { throwIfNoEntry: false });
	if (!file.startsWith(join(root, '/')) || !there?.isFile()) {
		response.writeHead(404).end();
		return;
	}
	response.writeHead(200, { 'content-type': TYPES[extname(file)] || 'application/octet-stream', 'content-security-policy': CSP, 'cache-control': 'no-cache' });
	createReadStream(file).pipe(response);
}

const server = createServer((request, response) => {
	const url = new URL(request.url, 'http://localhost');
	const path = decodeURIComponent(url.pathname);
	let text = '';
	if (!path.startsWith('/api2/json'))
		return serve(response, path);
	if (path.endsWith('/cluster/events') && !has('--no-events'))
		return stream(request, response);
	request.on('data', (d) => { text += d; });
	request.on('end', () => answer(request, response, path.slice(10), { ...Object.fromEntries(url.searchParams), ...Object.fromEntries(new URLSearchParams(text)) }));
});

/* ---- a terminal that says back what it hears ---- */

function message(data) {
	const body = Buffer.from(data);
	const head = body.length < 126 ? Buffer.from([0x82, body.length]) : Buffer.from([0x82, 126, body.length >> 8, body.length & 255]);
	return Buffer.concat([head, body]);
}
server.on('upgrade', (request, socket) => {
	const key = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
	let isFirst = true;
	socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: binary\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`);
	socket.on('data', (d) => { // small frames, one a packet: enough here
		const size = d[1] & 127, mask = d.subarray(2, 6);
		const text = Buffer.from(d.subarray(6, 6 + size).map((b, i) => b ^ mask[i % 4])).toString();
		const typed = /^0:\d+:([^]*)$/.exec(text);
		if (isFirst)
			socket.write(message('OK\x1b[38;2;90;200;160mtrue colour\x1b[0m \x1b[1;31mred\x1b[0m\r\n/ # '));
		else if (typed)
			socket.write(message(typed[1] === '\r' ? '\r\n/ # ' : typed[1]));
		isFirst = false;
	});
	socket.on('error', () => {});
});

setInterval(() => {
	figures();
	for (const g of guests.values())
		emit('guest', g);
	emit('node', node());
}, 2000);
figures();
server.listen(port, 'localhost', () => console.log(`http://localhost:${port}/`));
