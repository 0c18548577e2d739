// SPDX-License-Identifier: GPL-2.0-or-later
// xterm.js writes its rules into <style> elements, which the Content-Security-Policy forbids. It makes them with
// the document that it is given (its option documentOverride): ours hands out an inert element instead, whose text
// becomes a constructed style sheet. Those are not bound to style-src. Seen with xterm.js 6.0.0.

function makeStandIn() {
	const element = document.createElement('template');
	const sheet = new CSSStyleSheet();

	document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
	Object.defineProperty(element, 'textContent', { set: (text) => sheet.replaceSync(text) });
	element.remove = () => {
		document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== sheet);
		Element.prototype.remove.call(element);
	};
	return element;
}

/** @returns {Document} the document, but for createElement('style') */
export function documentForTerminal() {
	return new Proxy(document, {
		get(target, name) {
			if (name === 'createElement')
				return (tag, ...more) => (tag === 'style' ? makeStandIn() : target.createElement(tag, ...more));
			const value = target[name];
			return typeof value === 'function' ? value.bind(target) : value;
		},
		set(target, name, value) {
			target[name] = value;
			return true;
		},
	});
}
