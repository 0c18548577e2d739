// SPDX-License-Identifier: GPL-2.0-or-later
// What becomes of a form's values when somebody else stored others meanwhile. Pure.

const isEqual = (a, b) => String(a ?? '') === String(b ?? '');

/** base: what was shown at first; mine: what the fields say; theirs: what is stored now. What was typed stays; what was not touched
 * becomes what is stored. changed: by field, what is stored now, of those that somebody else changed to something else than mine was.
 * isMine: the field keeps another value than that.
 * @returns {{values: object, changed: Record<string, {theirs: any, isMine: boolean}>}} */
export function merge(base, mine, theirs) {
	const values = { ...mine }, changed = {};
	for (const name of Object.keys(theirs)) {
		if (isEqual(theirs[name], base[name]) || isEqual(theirs[name], mine[name]))
			continue;
		const isMine = !isEqual(mine[name], base[name]);
		if (!isMine)
			values[name] = theirs[name];
		changed[name] = { theirs: theirs[name], isMine };
	}
	return { values, changed };
}

/** A stored value in words, as a field of this kind would show it. */
export function inWords(value, { kind, options } = {}) {
	if (kind === 'checkbox')
		return value ? 'on' : 'off';
	const option = options?.find(([key]) => isEqual(key, value));
	return option ? option[1] : String(value ?? '') || 'empty';
}

/** What is said at the form's end. */
export function sayMerged(changed) {
	const kept = Object.values(changed).filter((c) => c.isMine).length;
	if (Object.keys(changed).length === 0)
		return 'Somebody else changed this meanwhile, but nothing that is shown here. Nothing is stored yet: what you typed is kept.';
	return kept ? 'Somebody else changed this meanwhile. Nothing is stored yet: what you typed is kept, and what is stored now stands beside it.'
		: 'Somebody else changed this meanwhile. Nothing is stored yet: what you did not touch shows what is stored now.';
}
