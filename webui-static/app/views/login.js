// SPDX-License-Identifier: GPL-2.0-or-later
// User, password, realm.
import * as api from '../api.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { dispatch } from '../store.js';
import { Field } from '../components/field.js';

const FALLBACK = [['pve', 'Lodge users (pve)']];

const nameOf = (d) => [d.realm, d.comment ? `${d.comment} (${d.realm})` : d.realm];

/** "name@realm" as the user's name chooses the realm too. */
function split(user, realm) {
	const at = user.lastIndexOf('@');
	return at > 0 ? [user.slice(0, at), user.slice(at + 1)] : [user, realm];
}

function useRealms(setRealm, setError) {
	const [realms, setRealms] = useState(FALLBACK);
	useEffect(() => {
		api.get('/access/domains').then((list) => {
			const first = list.find((d) => d.default) || list.find((d) => d.realm === 'pve') || list[0];
			if (first) {
				setRealms(list.map(nameOf));
				setRealm(first.realm);
			}
		}, (error) => setError(error.message));
	}, []);
	return realms;
}

export function Login() {
	const [user, setUser] = useState('');
	const [password, setPassword] = useState('');
	const [realm, setRealm] = useState('pve');
	const [error, setError] = useState('');
	const [isBusy, setBusy] = useState(false);
	const realms = useRealms(setRealm, setError);
	const form = useRef(null);

	useEffect(() => {
		document.title = 'Log in · Lodge';
		form.current.elements.user.focus();
	}, []);
	const submit = async (event) => {
		event.preventDefault();
		setBusy(true);
		setError('');
		try {
			const session = await api.login(split(user, realm)[0], password, split(user, realm)[1]);
			dispatch({ type: 'session', session });
		} catch (failure) {
			setError(failure.status === 401 && failure.message === 'authentication failure'
				? 'User name or password is wrong.' : failure.message);
			setBusy(false);
			form.current?.elements.password.select();
		}
	};
	return html`<main class="login">
		<form ref=${form} onSubmit=${submit}>
			<header><img src="favicon.svg" alt="" width="44" height="44" /><h1>Lodge</h1><p>${location.hostname}</p></header>
			<${Field} label="User" name="user" value=${user} onValue=${setUser} autocomplete="username" autocapitalize="none" spellcheck=${false} required />
			<${Field} label="Password" name="password" kind="password" value=${password} onValue=${setPassword} autocomplete="current-password" required />
			<${Field} label="Realm" name="realm" kind="select" value=${realm} onValue=${setRealm} options=${realms} />
			<p class="form-error" role="alert">${error}</p>
			<button type="submit" class="main" disabled=${isBusy}>${isBusy ? 'Checking…' : 'Log in'}</button>
		</form>
	</main>`;
}
