// SPDX-License-Identifier: GPL-2.0-or-later
// The chosen theme, before anything is painted: a classic script in the head, so no module.
(function () {
	let theme = null;

	try {
		theme = localStorage.getItem('lodge-theme');
	} catch {
		// storage may be forbidden; the system's theme is used then
	}
	if (theme === 'light' || theme === 'dark')
		document.documentElement.dataset.theme = theme;
})();
