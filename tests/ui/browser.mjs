// SPDX-License-Identifier: GPL-2.0-or-later
// A browser for the page's tests, Chromium unless LODGE_BROWSER is firefox: TAP lines, pages that are watched for errors, waiting for events. The environment
// says where the node is (as for tests/clients): LODGE_HOST, LODGE_NODE, LODGE_USER, LODGE_PASSWORD; LODGE_IN is a program
// that runs its arguments on the node; LODGE_SHOTS is a folder for pictures.
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { promisify } from 'node:util';
import playwright from 'playwright-core';

export const env = {
	base: `https://${process.env.LODGE_HOST}:${process.env.LODGE_PORT || 8006}/`,
	node: process.env.LODGE_NODE,
	user: process.env.LODGE_USER,
	password: process.env.LODGE_PASSWORD,
	shots: process.env.LODGE_SHOTS,
};
const PATIENCE = 15000; /* ms */
const ARGUMENTS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update', '--disable-sync'];

const isFirefox = process.env.LODGE_BROWSER === 'firefox';
/* Debian's Firefox as it is, by WebDriver BiDi: what Playwright calls firefox is a build of its own */
const BROWSERS = {
	chromium: () => playwright.chromium.launch({ executablePath: process.env.LODGE_CHROMIUM || '/usr/bin/chromium', args: ARGUMENTS }),
	firefox: () => playwright._bidiFirefox.launch({ executablePath: process.env.LODGE_FIREFOX || '/usr/bin/firefox-esr' }),
};

mkdirSync(env.shots, { recursive: true });

/* ---- TAP ---- */

let failures = 0;
const watched = [];
const open = new Map(); // requests without an answer, and their pages
const unanswered = () => [...open.keys()].filter((r) => !r.url().includes('/cluster/events'));

/** One test: it holds when `body` does not throw. */
export async function ok(text, body) {
	try {
		await body();
		console.log(`ok - ${text}`);
	} catch (error) {
		failures++;
		console.log(`not ok - ${text}`);
		for (const line of String(error.stack || error).split('\n').slice(0, 16))
			console.log(`# ${line}`);
		for (const request of unanswered())
			console.log(`# still open: ${request.method()} ${request.url()}`);
		for (const page of watched.filter((p) => !p.isClosed()))
			await page.screenshot({ path: `${env.shots}/failed-${failures}-${watched.indexOf(page)}.png` }).catch(() => {});
	}
}

export function same(got, expected) {
	const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
	if (a !== b)
		throw new Error(`expected ${b}, got ${a}`);
}

/** What `value()` gives comes to be `expected`, within ten seconds: for what a page shows after an answer that is on its way. */
export async function becomes(value, expected, patience = 10000) {
	const until = Date.now() + patience;
	while (Date.now() < until && JSON.stringify(await value()) !== JSON.stringify(expected))
		await new Promise((resolve) => setTimeout(resolve, 50));
	same(await value(), expected);
}

export function holds(condition, text) {
	if (!condition)
		throw new Error(text);
}

export const finish = () => process.exit(failures ? 1 : 0);

/* ---- the node ---- */

const run = promisify(execFile);

/** What the node's root prints. */
export async function onNode(...command) {
	return (await run(process.env.LODGE_IN, command)).stdout;
}

export async function lodgeGet(path) {
	return JSON.parse(await onNode('lodge', 'get', path, '--json'));
}

/* ---- pages ---- */

let browser = null;
/** What went wrong in any page. */
export const seen = { errors: [], violations: [], foreign: [] };
const allowed = [];

/** The next console error that matches is one that the test provokes. */
export const allow = (pattern) => allowed.push({ pattern });

/** So are all that match until body is through, and what it asked for is answered. */
export async function allowing(page, pattern, body) {
	const entry = { pattern, isAlways: true }, before = new Set(open.keys());
	allowed.push(entry);
	try {
		await body();
		await becomes(() => unanswered().filter((r) => open.get(r) === page && !before.has(r)).map((r) => r.url()), [], 40000);
		await page.evaluate(() => {}); // what the console said before this is known by then
	} finally {
		allowed.splice(allowed.indexOf(entry), 1);
	}
}

/* of "body {}", a style that Playwright adds for each picture; Firefox's policy takes it for the page's own */
const PICTURE = 'sha256-YjaKGiklmzC6wjXA513HAMmzus8VE61XCOT+SmwNZWA=';

function onError(text) {
	if (text.includes(PICTURE))
		return;
	console.log(`# console: ${text}`);
	const at = allowed.findIndex((a) => a.pattern.test(text));
	if (/Content Security Policy|settings blocked/.test(text))
		seen.violations.push(text);
	else if (at >= 0)
		allowed.splice(at, allowed[at].isAlways ? 0 : 1);
	else
		seen.errors.push(text);
}

function watch(page) {
	const host = new URL(env.base).host;
	page.setDefaultTimeout(PATIENCE);
	page.on('console', (m) => m.type() === 'error' && onError(`${m.text()} ${m.location().url}`));
	page.on('pageerror', (e) => onError(String(e.stack)));
	page.on('requestfinished', (r) => open.delete(r));
	page.on('requestfailed', (r) => {
		open.delete(r);
		if (r.failure()?.errorText !== 'net::ERR_ABORTED') // those that a page was left with
			console.log(`# failed: ${r.method()} ${r.url()} ${r.failure()?.errorText}`);
	});
	page.on('close', () => open.forEach((of, r) => of === page && open.delete(r))); // nothing more is told of them
	page.on('request', (r) => {
		open.set(r, page);
		const url = new URL(r.url());
		if (url.host !== host && !['data:', 'blob:', 'about:'].includes(url.protocol))
			seen.foreign.push(r.url());
	});
	watched.push(page);
}

/** A page in a context of its own: no cookies, no storage of others.
 * @param {{width?: number, height?: number, scheme?: 'light'|'dark'}} options */
export async function newPage({ width = 1280, height = 800, scheme = 'light' } = {}) {
	browser ??= await BROWSERS[process.env.LODGE_BROWSER || 'chromium']();
	const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width, height }, ...(isFirefox ? {} : { colorScheme: scheme, reducedMotion: 'reduce' }) });
	if (!isFirefox) // which says it by itself
		await context.addInitScript(() => {
			document.addEventListener('securitypolicyviolation', (e) => console.error(`Content Security Policy: ${e.violatedDirective} ${e.blockedURI}`));
		});
	context.on('page', watch);
	return context.newPage();
}

export async function closeBrowser() {
	await browser?.close();
}

export const shot = (page, name) => page.screenshot({ path: `${env.shots}/${name}.png` });

/** Whether nothing is wider than the window, nor cut off by its panel, nor a name broken into bits; the text must have no hole. */
export async function fits(page) {
	holds(!/\b(undefined|NaN|null|\[object)\b/.test(await page.locator('body').innerText()), `the text has a hole: ${page.url()}`);
	return page.evaluate(() => [document.documentElement, ...document.querySelectorAll('.panel')].every((e) => e.scrollWidth <= e.clientWidth) &&
		[...document.querySelectorAll('.head h1 > span:first-child')].every((e) => e.textContent.length > 16 || e.getClientRects().length === 1 && e.offsetHeight < 40));
}

const NETWORK_CHANGED = /ERR_NETWORK_CHANGED/;

/** Chromium drops what it loads when an address or an interface comes or goes where it runs (ERR_NETWORK_CHANGED). A lab's
 * network settles in its first seconds: then the page is loaded once more. */
export async function visit(page) {
	const isShown = page.getByRole('button', { name: 'Log in' }).or(page.getByRole('navigation', { name: 'Main' })).first();
	if (!allowed.some((a) => a.pattern === NETWORK_CHANGED))
		allowed.push({ pattern: NETWORK_CHANGED, isAlways: true });
	for (let left = 3; ; left--) {
		const error = await page.goto(env.base).then(() => isShown.waitFor({ timeout: 5000 })).then(() => null, (e) => e);
		if (!error)
			return;
		if (!left)
			throw error;
		console.log(`# loaded once more: ${String(error).split('\n')[0]}`);
	}
}

export async function login(page, user = env.user.split('@')[0], password = env.password) {
	await visit(page);
	await page.getByLabel('User').fill(user);
	await page.getByLabel('Password').fill(password);
	await page.getByRole('button', { name: 'Log in' }).click();
	await page.getByRole('navigation', { name: 'Main' }).waitFor();
}

export async function goTo(page, hash) {
	if (isFirefox) // which tells BiDi of no load where only the hash is another
		await page.evaluate((wanted) => { location.hash = wanted; }, `#${hash}`);
	else
		await page.goto(`${env.base}#${hash}`);
}

/** Does something that makes the page ask for the rights at a path, until they are known and drawn: what is not offered then will not be. */
export async function withRights(page, path, action) {
	const asked = page.waitForResponse((r) => r.url().includes(`/access/permissions?path=${encodeURIComponent(path)}`));
	await action();
	await (await asked).finished();
	await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))));
}

export const button = (within, name) => within.getByRole('button', { name, exact: typeof name === 'string' });
export const dialogOf = (page) => page.getByRole('dialog');
/** No dialog is open any more. */
export const closed = (page) => dialogOf(page).waitFor({ state: 'detached' });
/** Presses the button that sends an open dialog. */
export const submit = (page, name) => dialogOf(page).locator('footer').getByRole('button', { name, exact: true }).click();

/** Closes the messages, which may cover something. */
export async function quieten(page) {
	for (const close of (await button(page, 'Close message').all()).reverse())
		await close.click();
}

/** The word of a guest's state in its head. */
export const headState = (page, text) => page.locator('.head h1 .state', { hasText: text });

/** What an xterm.js shows, its lines joined. */
export const terminalText = (page) => page.locator('.xterm-rows').evaluate((rows) => [...rows.children].map((r) => r.textContent).join('\n'));

export async function waitForText(page, pattern, timeout = PATIENCE) {
	await page.locator('.xterm-rows').waitFor();
	await page.waitForFunction(([source]) => new RegExp(source).test(
		[...document.querySelectorAll('.xterm-rows > div')].map((r) => r.textContent).join('\n')), [pattern.source], { timeout })
		.catch(async (error) => { throw new Error(`${pattern} not seen: ${error.message.split('\n')[0]}\n${await terminalText(page)}`); });
}
