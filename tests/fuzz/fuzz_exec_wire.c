/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of a program inside a guest: however they are cut into pieces, the same comes out of them. The first byte is
 * the size of the pieces. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/exec_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const char *input, size_t size, size_t step, struct buf *out)
{
	struct exec_wire w = {0};

	for (size_t at = 0; at < size;) {
		struct exec_wire_event e;
		size_t used = 0, here = size - at < step ? size - at : step;
		int r = exec_wire_next(&w, input + at, here, &used, &e, NULL);

		if (r >= 0 && (used == 0 || used > here))
			abort();
		at += used;
		if (r < 0) {
			buf_add_char(out, '!');
			return;
		}
		if (r == 0)
			continue;
		if (e.size > EXEC_WIRE_DATA_MAX || e.data < input || e.data + e.size > input + size)
			abort();
		buf_add(out, e.data, e.size);
		if (e.is_last)
			buf_addf(out, "<%c>", e.kind);
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
