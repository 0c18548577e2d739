// SPDX-License-Identifier: GPL-2.0-or-later
// The API: the one place with fetch, the ticket and the CSRF token. Nothing is remembered but the cookie, which
// holds the ticket; the token comes anew with each renewal, after a reload of the page too.

const BASE = '/api2/json';
const COOKIE = 'PVEAuthCookie';
const TICKET_LIFE = 7200; /* s */
const RENEW_AFTER = 3600000; /* ms */
const RENEW_CHECK = 60000; /* ms */
const TIMEOUT = 30000; /* ms */

/** What a call fails with. status 0: no answer came. */
export class ApiError extends Error {
	/** @param {number} status @param {string} message @param {Record<string, string>} [fields] */
	constructor(status, message, fields = {}) {
		super(message);
		this.name = 'ApiError';
		this.status = status;
		this.fields = fields;
	}
}

let csrf = '';
let user = ''; // whose session this page shows; the cookie is that of all tabs
let session = 0; // which one: an answer to an earlier one says nothing about this
let lost = () => {};

/** @param {() => void} callback called when the ticket is no longer good */
export function onSessionLost(callback) {
	lost = callback;
}

export const path = (...parts) => `/${parts.map(encodeURIComponent).join('/')}`;
export const eventsUrl = () => `${BASE}/cluster/events?figures=1`;

/** @returns {string} the address of a console's WebSocket */
export function socketUrl(guest, port, ticket) {
	const scheme = location.protocol === 'http:' ? 'ws' : 'wss';
	const query = new URLSearchParams({ port, vncticket: ticket });
	return `${scheme}://${location.host}${BASE}${guest}/vncwebsocket?${query}`;
}

/** What is sent of parameters: nothing of those without a value. */
export function encode(params) {
	const out = new URLSearchParams();
	for (const [name, value] of Object.entries(params)) {
		if (value === undefined || value === null)
			continue;
		out.append(name, value === true ? '1' : value === false ? '0' : String(value));
	}
	return out;
}

async function readError(response) {
	let body = null;
	try {
		body = await response.json();
	} catch {
		// not ours: a proxy's page, or cut off
	}
	const text = (body && body.message ? body.message : response.statusText || '').trim();
	return new ApiError(response.status, text || `The node answered with status ${response.status}.`, body?.errors || {});
}

async function send(verb, where, params) {
	const query = encode(params).toString();
	const isRead = verb === 'GET' || verb === 'DELETE';
	const init = { method: verb, headers: {}, signal: AbortSignal.timeout(TIMEOUT) };
	if (verb !== 'GET')
		init.headers.CSRFPreventionToken = csrf;
	if (!isRead)
		init.body = new URLSearchParams(query);
	try {
		return await fetch(BASE + where + (isRead && query ? `?${query}` : ''), init);
	} catch (error) {
		throw new ApiError(0, error.name === 'TimeoutError' ? 'The node did not answer in time.' : 'The node cannot be reached.');
	}
}

/** @returns {Promise<{data: any, total?: number, changes?: string}>} */
async function call(verb, where, params = {}) {
	if (!isOwn()) {
		forget();
		throw elsewhere();
	}
	const asked = session;
	const response = await send(verb, where, params);
	if (response.ok) {
		try {
			return await response.json();
		} catch {
			throw new ApiError(0, 'The answer of the node was cut off.');
		}
	}
	const error = await readError(response);
	if (error.status === 401)
		drop(asked);
	throw error;
}

export const get = async (where, params) => (await call('GET', where, params)).data;
/** The whole answer: what stands beside its data too. */
export const getDocument = (where, params) => call('GET', where, params);
export const post = async (where, params) => (await call('POST', where, params)).data;
export const put = async (where, params) => (await call('PUT', where, params)).data;
export const del = async (where, params) => (await call('DELETE', where, params)).data;

/** Sends a file, which fetch cannot tell the progress of. done: the task's UPID; abort: ends it.
 * @param {Record<string, any>} params @param {File} file @param {string} name the file's name there @param {(share: number) => void} onProgress 0 to 1
 * @returns {{done: Promise<string>, abort: () => void}} */
export function upload(where, params, file, name, onProgress) {
	if (!isOwn()) {
		forget();
		return { done: Promise.reject(elsewhere()), abort() {} };
	}
	const asked = session;
	const request = new XMLHttpRequest();
	const body = new FormData();
	for (const [key, value] of encode(params))
		body.append(key, value);
	body.append('filename', file, name); // last: what comes before it is known when it comes
	const done = new Promise((resolve, reject) => {
		request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
		request.onload = () => uploaded(request, asked).then(resolve, reject);
		request.onerror = () => reject(new ApiError(0, 'The connection broke before all of the file was sent.'));
		request.onabort = () => reject(new ApiError(0, 'Cancelled.'));
	});
	request.open('POST', BASE + where);
	request.setRequestHeader('CSRFPreventionToken', csrf);
	request.send(body);
	return { done, abort: () => request.abort() };
}

async function uploaded(request, asked) {
	const answer = new Response(request.responseText, { status: request.status, statusText: request.statusText });
	if (answer.ok)
		return (await answer.json()).data;
	const error = await readError(answer);
	if (error.status === 401)
		drop(asked);
	throw error;
}

/** A node that is too old for something answers that it has no such call. */
export const isMissing = (error) => error.status === 501;

/* ---- session ---- */

let renewal = null;
let renewed = 0; // when, by this browser's clock: the node's, in the ticket, may be another

function readTicket() {
	const cookie = document.cookie.split('; ').find((c) => c.startsWith(`${COOKIE}=`));
	const ticket = cookie ? decodeURIComponent(cookie.slice(COOKIE.length + 1)) : '';
	const m = /^PVE:([^:]+):[0-9A-F]{8}:/i.exec(ticket);
	return m && { ticket, user: m[1] };
}

function writeCookie(value, age) {
	document.cookie = `${COOKIE}=${encodeURIComponent(value)}; path=/; Secure; SameSite=Strict; max-age=${age}`;
}

/** Is the cookie still that of the session which this page shows? */
const isOwn = () => !user || readTicket()?.user === user;

const elsewhere = () => new ApiError(401, 'Somebody else logged in, or this user logged out, in another tab.');

function forget() {
	session++;
	csrf = user = '';
	clearInterval(renewal);
	renewal = null;
	lost();
}

/** @param {number} which the session that is over; nothing happens when another one began since */
function drop(which) {
	if (which !== session)
		return;
	if (isOwn())
		writeCookie('', 0);
	forget();
}

/** @param {{username: string, password: string, realm?: string}} params
 * @param {() => boolean} isWanted asked when the answer is there: is it still of use?
 * @returns {Promise<{user: string, cap: object}>} */
async function askTicket(params, isWanted) {
	const response = await send('POST', '/access/ticket', params);
	const answer = response.ok ? await response.json() : await readError(response);
	if (!isWanted())
		throw new ApiError(0, 'Somebody else logged in, or this user logged out, meanwhile.');
	if (!response.ok)
		throw answer;
	const { data } = answer;
	if (data.NeedTFA)
		throw new ApiError(401, 'This user needs a second factor, which this page cannot ask for yet.');
	csrf = data.CSRFPreventionToken;
	user = data.username;
	renewed = Date.now();
	writeCookie(data.ticket, TICKET_LIFE);
	return { user: data.username, cap: data.cap || {} };
}

/** Another ticket for that of the cookie. Whoever logs out or in while it is on its way, in whichever tab, stays so. */
function renewTicket(now) {
	const asked = session;
	return askTicket({ username: now.user, password: now.ticket }, () => asked === session && readTicket()?.user === now.user);
}

async function renew() {
	const now = readTicket();
	if (!now || !isOwn())
		return forget();
	if (Math.abs(Date.now() - renewed) < RENEW_AFTER)
		return;
	const asked = session;
	try {
		await renewTicket(now);
	} catch (error) {
		if (error.status === 401)
			drop(asked); // else: the node does not answer; the next try may find it
	}
}

function keepRenewed() {
	clearInterval(renewal);
	renewal = setInterval(renew, RENEW_CHECK);
}

document.addEventListener('visibilitychange', () => {
	if (!document.hidden && renewal)
		renew(); // or sees that the session is another one by now
});

export async function login(username, password, realm) {
	const own = ++session;
	const begun = await askTicket({ username, password, realm }, () => own === session);
	keepRenewed();
	return begun;
}

/** The session of the cookie, or null when there is none that is still good. */
export async function resume() {
	const now = readTicket();
	if (!now)
		return null;
	try {
		const begun = await renewTicket(now);
		keepRenewed();
		return begun;
	} catch (error) {
		if (error.status !== 401)
			throw error;
		writeCookie('', 0);
		return null;
	}
}

export function logout() {
	drop(session);
}
