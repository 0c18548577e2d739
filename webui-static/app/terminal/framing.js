// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes of a terminal's stream. To the node: the line "user:ticket", then frames "0:LENGTH:DATA", "1:COLS:ROWS:" and
// "2"; from the node: "OK", then what the terminal shows. Pure.

const encoder = new TextEncoder();

function join(head, data) {
	const out = new Uint8Array(head.length + data.length);
	out.set(head);
	out.set(data, head.length);
	return out;
}

/** The first line, which proves who asks. */
export const greeting = (user, ticket) => encoder.encode(`${user}:${ticket}\n`);

/** What was typed; the length counts bytes, not characters. @param {string} text */
export function input(text) {
	const data = encoder.encode(text);
	return join(encoder.encode(`0:${data.length}:`), data);
}

/** What xterm.js gives as a binary string: a character a byte. */
export function binaryInput(text) {
	const data = Uint8Array.from(text, (c) => c.charCodeAt(0) & 0xff);
	return join(encoder.encode(`0:${data.length}:`), data);
}

export const resize = (cols, rows) => encoder.encode(`1:${cols}:${rows}:`);
export const ping = () => encoder.encode('2');

const OK = encoder.encode('OK');

/** Takes the stream's pieces and gives the terminal's bytes, once the "OK" was there.
 * @returns {(piece: Uint8Array) => Uint8Array} throws when something else came first */
export function opener() {
	let seen = 0;
	return (piece) => {
		let at = 0;
		for (; seen < OK.length && at < piece.length; at++, seen++) {
			if (piece[at] !== OK[seen])
				throw new Error('The node refused the console.');
		}
		return piece.subarray(at);
	};
}
