// SPDX-License-Identifier: GPL-2.0-or-later
// How fast something goes, from what was seen of the last seconds. Pure.
const SEEN = 5000; /* ms */

/** samples: [{ at (ms), done (bytes) }], oldest first. */
export function addSample(samples, at, done) {
	const kept = samples.filter((s, n) => n === samples.length - 1 || at - s.at <= SEEN);
	return [...kept, { at, done }];
}

/** Bytes a second; undefined while that cannot be told. */
export function rateOf(samples) {
	if (samples.length < 2)
		return undefined;
	const first = samples[0], last = samples[samples.length - 1];
	return last.at > first.at ? ((last.done - first.done) * 1000) / (last.at - first.at) : undefined;
}

/** Seconds until all is done; undefined while that cannot be told. */
export function leftOf(samples, total) {
	const rate = rateOf(samples);
	return rate > 0 ? (total - samples[samples.length - 1].done) / rate : undefined;
}
