// SPDX-License-Identifier: GPL-2.0-or-later
// What modules touch of a browser when they are loaded. To be imported before them.
globalThis.document ??= { addEventListener() {}, cookie: '', hidden: false };
globalThis.location ??= { hash: '', host: '', protocol: 'https:' };
