/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of the state. What decodes encodes to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/core/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autobuf again = BUF_INIT;
	struct state *s;

	if (state_decode(data, size, &s, NULL) < 0)
		return 0;
	state_encode(s, &again);
	if (again.size != size || memcmp(again.data, data, size) != 0)
		abort();
	state_free(s);
	return 0;
}
