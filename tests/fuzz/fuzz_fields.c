/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Field lists: what decodes must encode to the very same bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_on(data, size);
	autofields f = FIELDS_INIT;
	autobuf back = BUF_INIT;

	if (fields_decode(&c, &f, NULL) < 0)
		return 0;
	fields_encode(&f, &back);
	if (back.size != size - cursor_left(&c) || memcmp(back.data, data, back.size) != 0)
		abort();
	return 0;
}
