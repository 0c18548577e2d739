// SPDX-License-Identifier: GPL-2.0-or-later
// The beginning: who is logged in, and the view for that.
import * as api from './api.js';
import { html, render, useEffect } from './html.js';
import { startLive } from './live.js';
import { useRoute } from './router.js';
import { dispatch, useStore } from './store.js';
import { Toasts } from './components/toasts.js';
import { ConsoleTab } from './views/console_tab.js';
import { Login } from './views/login.js';
import { Shell } from './views/shell.js';

function Application() {
	useEffect(startLive, []);
	const { view, params } = useRoute();
	return view === 'console' ? html`<${ConsoleTab} ...${params} />` : html`<${Shell} view=${view} params=${params} />`;
}

function Page() {
	const session = useStore((s) => s.session);
	if (session === undefined)
		return html`<p class="waiting" role="status">Connecting…</p>`;
	return html`${session ? html`<${Application} key=${session.user} />` : html`<${Login} />`}<${Toasts} />`;
}

async function begin() {
	const root = document.getElementById('page');
	api.onSessionLost(() => dispatch({ type: 'session', session: null }));
	root.textContent = '';
	render(html`<${Page} />`, root);
	try {
		dispatch({ type: 'session', session: await api.resume() });
	} catch (error) {
		dispatch({ type: 'session', session: null },
			{ type: 'toast', toast: { id: 'resume', tone: 'error', text: error.message } });
	}
}

begin();
