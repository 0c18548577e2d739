// SPDX-License-Identifier: GPL-2.0-or-later
// The command of the node's shell that does what a form does. Pure.
import { encode } from './api.js';

const SECRETS = { password: 'PASSWORD' };
const SAFE = /^[\w@%+:,./-]+$/; /* no sign of a shell's; "=" stays out: it is quoted for the eye */

/** A word that a POSIX shell takes as it is. */
export function quote(text) {
	return SAFE.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll('\'', '\'\\\'\'')}'`;
}

function option([name, value]) {
	if (SECRETS[name])
		return `--${name}="$${SECRETS[name]}"`;
	return value.startsWith('-') ? `--${name}=${quote(value)}` : `--${name} ${quote(value)}`;
}

/** "lodge create 100 --ostemplate …" of the parameters of POST /nodes/{node}/lxc or qemu. Secrets are left to variables of the shell. */
export function createCommand(params) {
	const { vmid, ...rest } = Object.fromEntries(encode(params));
	return ['lodge create', vmid, ...Object.entries(rest).map(option)].join(' ');
}

/** Names of the variables that a command leaves to be set. */
export const variablesOf = (params) => Object.keys(SECRETS).filter((name) => params[name] !== undefined).map((name) => SECRETS[name]);
