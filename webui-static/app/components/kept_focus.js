// SPDX-License-Identifier: GPL-2.0-or-later
// The focus in a table whose rows move and go.
import { useLayoutEffect } from '../html.js';

/** ref: of a table that can have the focus (tabindex -1). A row that moved keeps the focus; when the one that had it is gone the table has. */
export function useKeptFocus(ref) {
	const active = document.activeElement;
	const had = ref.current?.contains(active) ? active : null;
	useLayoutEffect(() => {
		if (!had || document.activeElement === had)
			return;
		if (had.isConnected)
			had.focus({ preventScroll: true });
		else if (document.activeElement === document.body)
			ref.current?.focus({ preventScroll: true });
	});
}
