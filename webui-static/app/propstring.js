// SPDX-License-Identifier: GPL-2.0-or-later
// Property strings of configurations: "name=eth0,bridge=vmbr0"; of some keys the first name is left out. Pure.

/** @param {string|undefined} text @param {string} [first] the name that may be left out @returns {Record<string, string>} */
export function parse(text, first) {
	const parts = {};
	for (const part of (text || '').split(',').filter(Boolean)) {
		const equals = part.indexOf('=');
		if (equals > 0)
			parts[part.slice(0, equals)] = part.slice(equals + 1);
		else if (first)
			parts[first] = part;
	}
	return parts;
}

/** An error as those of the API: of a part of a key. */
function refuse(key, name, text) {
	return Object.assign(new Error(text), { status: 400, fields: { [key]: `${name}: ${text}` } });
}

/** Parts that are empty or false are left out; true is 1. Throws what a form takes for an answer of the API.
 * @param {string} key of the configuration, for the error @param {Record<string, any>} parts @param {string} [first] */
export function format(key, parts, first) {
	const out = [];
	for (const [name, value] of Object.entries(parts)) {
		const text = value === true ? '1' : value === undefined || value === null || value === false ? '' : String(value).trim();
		if (/[,\n]/.test(text))
			throw refuse(key, name, 'There can be no comma in it.');
		if (text === '')
			continue;
		if (name === first && !text.includes('='))
			out.unshift(text);
		else
			out.push(`${name}=${text}`);
	}
	return out.join(',');
}

export const isOn = (text) => /^(1|yes|on|true)$/i.test(text ?? '');
