// SPDX-License-Identifier: GPL-2.0-or-later
// What a page must have for readers and for eyes, looked for in what is shown now: names of controls, references that lead somewhere,
// text that stands out from its ground, controls that a finger hits.
import { holds } from './browser.mjs';

/** Runs in the page: a list of what is wrong. */
function look() {
	const found = [];
	const dialog = [...document.querySelectorAll('dialog[open]')].at(-1);
	const root = dialog || document.body;
	const isShown = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('[aria-hidden="true"]');
	const nameOf = (e) => e.outerHTML.slice(0, 120);
	const report = (e, text) => found.push(`${text}: ${nameOf(e)}`);

	/* names */
	const byId = (ids) => (ids || '').split(/\s+/).filter(Boolean).map((id) => document.getElementById(id));
	const label = (e) => e.getAttribute('aria-label') || byId(e.getAttribute('aria-labelledby')).map((l) => l?.textContent).join(' ') ||
		[...(e.labels || [])].map((l) => l.textContent).join(' ') || (e.matches('input, select, textarea, [role=meter], progress') ? '' : e.textContent);
	for (const e of root.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"], [role=meter], [role=img], progress, dialog, nav, table'))
		if (isShown(e) && !label(e).trim())
			report(e, 'no name');
	for (const e of root.querySelectorAll('img:not([alt])'))
		report(e, 'no alt');

	/* references and ids */
	const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
	for (const id of new Set(ids.filter((id, n) => ids.indexOf(id) !== n)))
		found.push(`two with the id ${id}`);
	for (const name of ['aria-describedby', 'aria-labelledby', 'for'])
		for (const e of root.querySelectorAll(`[${name}]`))
			if (byId(e.getAttribute(name)).includes(null))
				report(e, `${name} leads nowhere`);
	for (const e of root.querySelectorAll('[aria-invalid="true"]'))
		if (!byId(e.getAttribute('aria-describedby')).some((d) => d?.classList.contains('error')))
			report(e, 'its error is not told');
	if (!dialog && document.querySelectorAll('h1').length !== 1)
		found.push(`${document.querySelectorAll('h1').length} first headings`);

	/* contrast, as WCAG 2 counts it */
	const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
	const seen = new Map();
	const rgba = (text) => {
		if (!seen.has(text)) {
			canvas.clearRect(0, 0, 1, 1);
			canvas.fillStyle = text;
			canvas.fillRect(0, 0, 1, 1);
			const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
			seen.set(text, [r, g, b, a / 255]);
		}
		return seen.get(text);
	};
	const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a)];
	const groundOf = (e) => {
		const layers = [];
		for (let at = e; at; at = at.parentElement) {
			const colour = rgba(getComputedStyle(at).backgroundColor);
			layers.unshift(colour);
			if (colour[3] === 1)
				break;
		}
		return layers.reduce((below, layer) => over(layer, below), rgba(getComputedStyle(document.body).backgroundColor).slice(0, 3));
	};
	const light = (c) => {
		const [r, g, b] = c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
	const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
	const met = new Set();
	while (walker.nextNode()) {
		const e = walker.currentNode.parentElement;
		if (!walker.currentNode.data.trim() || met.has(e) || !isShown(e) || e.closest('.unseen, :disabled, option, .xterm, .console-cover'))
			continue;
		met.add(e);
		const style = getComputedStyle(e), ground = groundOf(e);
		const size = parseFloat(style.fontSize), wanted = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
		const got = ratio(over(rgba(style.color), ground), ground);
		if (got < wanted - 0.005)
			report(e, `contrast ${got.toFixed(2)} of “${walker.currentNode.data.trim().slice(0, 30)}”`);
	}

	/* targets: 24 by 24, but within text */
	for (const e of root.querySelectorAll('button, select, input:not([type=checkbox]), summary, nav a')) {
		const box = e.getBoundingClientRect();
		if (isShown(e) && !e.closest('.unseen') && (box.height < 24 || box.width < 24))
			report(e, `${Math.round(box.width)} by ${Math.round(box.height)} px`);
	}
	return found;
}

/** Throws with all that is wrong in what is shown: the uppermost dialog, or the page. */
export async function isAccessible(page, what) {
	const found = await page.evaluate(look);
	holds(found.length === 0, `${what}: ${found.slice(0, 6).join('\n')}`);
}

/** The element with the focus in words. */
export const active = (page) => page.evaluate(() => {
	const e = document.activeElement;
	return e === document.body ? 'BODY' : [e.tagName, e.textContent.trim().slice(0, 60), e.getAttribute('aria-label'), [...(e.labels || [])].map((l) => l.textContent.trim()).join(' '), e.getAttribute('href'), e.dataset.action].join(' ');
});

/** Tab until the focus is at what matches, and is seen there. */
export async function tabTo(page, pattern, { limit = 80, key = 'Tab' } = {}) {
	const met = [];
	for (let i = 0; i < limit; i++) {
		await page.keyboard.press(key);
		met.push(await active(page));
		if (pattern.test(met.at(-1))) {
			holds(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== 'none'), `the focus is not seen at ${met.at(-1)}`);
			return;
		}
	}
	throw new Error(`Tab never came to ${pattern}: ${met.slice(0, 12).join(' | ')}`);
}

/** What opens a dialog has the focus again after Escape. */
export async function comesBack(page, opener) {
	await page.keyboard.press('Escape');
	await page.getByRole('dialog').waitFor({ state: 'detached' });
	holds(await opener.evaluate((e) => e === document.activeElement), `the focus is at ${await active(page)}`);
}
