// SPDX-License-Identifier: GPL-2.0-or-later
// Preact and htm for all other modules: the only file that imports them.
import { h, render } from '../vendor/preact/preact.mjs';
import htm from '../vendor/htm/htm.mjs';

export const html = htm.bind(h);
export { render };
export {
	useCallback,
	useEffect,
	useLayoutEffect,
	useMemo,
	useRef,
	useState,
} from '../vendor/preact/hooks.mjs';
