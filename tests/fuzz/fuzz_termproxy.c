/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a viewer of a terminal sends: however it is cut into pieces, the same comes out of it. The first byte is
 * the size of the pieces. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/task/console/termproxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const char *input, size_t size, size_t step, struct buf *out)
{
	struct termproxy p;

	termproxy_init(&p);
	for (size_t at = 0; at < size;) {
		struct termproxy_event e;
		size_t used = 0, here = size - at < step ? size - at : step;
		int r = termproxy_next(&p, input + at, here, &used, &e, NULL);

		if (used == 0 || used > here)
			abort();
		at += used;
		if (r < 0) {
			buf_add_char(out, '!');
			return;
		}
		if (r == 0)
			continue;
		if (e.kind == TERMPROXY_SIZE &&
		    (e.cols == 0 || e.rows == 0 || e.cols > TERMPROXY_SIDE_MAX ||
		     e.rows > TERMPROXY_SIDE_MAX))
			abort();
		if (e.kind == TERMPROXY_LOGIN && e.size >= TERMPROXY_LOGIN_MAX)
			abort();
		if (e.kind == TERMPROXY_DATA || e.kind == TERMPROXY_LOGIN)
			buf_add(out, e.data, e.size);
		else
			buf_addf(out, "<%d %u %u>", e.kind, e.kind == TERMPROXY_SIZE ? e.cols : 0,
				 e.kind == TERMPROXY_SIZE ? e.rows : 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autobuf whole = BUF_INIT, pieces = BUF_INIT;

	if (size < 2)
		return 0;
	run((const char *)data + 1, size - 1, size, &whole);
	run((const char *)data + 1, size - 1, data[0] % 16 + 1, &pieces);
	if (whole.size != pieces.size ||
	    (whole.size && memcmp(whole.data, pieces.data, whole.size) != 0))
		abort();
	return 0;
}
