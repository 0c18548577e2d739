/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of messages: the input is a run of {u8 sender, u8 size, part}. What comes together has the size that its parts
 * told. */
#include <stdint.h>
#include <stdlib.h>

#include "cluster/core/parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parts *parts = parts_new();
	const struct buf *whole;

	while (size > 2) {
		uint32_t node = data[0];
		size_t n = data[1] < size - 2 ? data[1] : size - 2;

		if (parts_take(parts, node, 1, data + 2, n, &whole, NULL) == 1 && whole->size == 0)
			abort();
		data += 2 + n;
		size -= 2 + n;
	}
	parts_free(parts);
	return 0;
}
