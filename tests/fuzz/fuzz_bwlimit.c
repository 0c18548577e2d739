/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The option bwlimit: a bound is none, one that can be kept, or not said. Waiting for it never wraps around. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/bucket.h"
#include "storage/volid/bwlimit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = size ? xstrndup((const char *)data, size) : xstrdup("");
	uint64_t rate = bwlimit_of(text, "clone");
	struct bucket bucket = {.rate = rate};

	if (rate == BWLIMIT_UNSAID)
		return 0;
	if (rate > 0 && (rate < 1024 || rate > (uint64_t)BWLIMIT_KIB_MAX * 1024))
		abort();
	for (unsigned i = 0; i < 4; i++)
		if (bucket_take(&bucket, 1024, USEC_PER_SEC) > 4 * USEC_PER_SEC)
			abort();
	return 0;
}
