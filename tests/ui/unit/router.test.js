// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';
import { guestHref, href, parse } from '../../../webui-static/app/router.js';

test('routes', () => {
	assert.deepEqual(parse(''), { view: 'overview', params: {} });
	assert.deepEqual(parse('#/'), { view: 'overview', params: {} });
	assert.deepEqual(parse('#/guest/lxc/101/console'), { view: 'guest', params: { type: 'lxc', vmid: '101', tab: 'console' } });
	assert.deepEqual(parse('#/nowhere/at/all/then'), { view: 'missing', params: {} });
});

test('what a name may hold comes back', () => {
	const upid = 'UPID:n1:0000ABCD:012345678:65530000:vzstart:101:a/b@pve!t:';
	assert.deepEqual(parse(href('task', upid)), { view: 'task', params: { upid } });
	assert.deepEqual(parse(guestHref({ type: 'qemu', vmid: 7 }, 'tasks')).params, { type: 'qemu', vmid: '7', tab: 'tasks' });
	assert.deepEqual(parse('#/node/%zz').params, { node: '%zz' });
});
