/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bandwidth limits. Pure. */
#include "storage/bucket.h"

#define DEPTH (USEC_PER_SEC / 10)

usec_t bucket_take(struct bucket *bucket, uint64_t size, usec_t now)
{
	if (bucket->rate == 0)
		return 0;
	if (size > BUCKET_TAKE_MAX)
		size = BUCKET_TAKE_MAX;
	/* what was not used is kept for a moment only */
	if (now > DEPTH && bucket->due < now - DEPTH)
		bucket->due = now - DEPTH;
	bucket->rest += size * USEC_PER_SEC;
	bucket->due += bucket->rest / bucket->rate;
	bucket->rest %= bucket->rate;
	return bucket->due > now ? bucket->due - now : 0;
}
