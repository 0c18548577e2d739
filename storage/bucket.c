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
	bucket->rest += size * USEC_PER_SEC;

	usec_t cost = bucket->rest / bucket->rate, depth = cost > DEPTH ? cost : DEPTH;

	bucket->due += cost;
	if (bucket->due == cost) /* the first piece */
		bucket->due = now;
	else if (now > depth && bucket->due < now - depth + cost)
		bucket->due = now - depth + cost; /* what was not used is kept for a moment only */
	bucket->rest %= bucket->rate;
	return bucket->due > now ? bucket->due - now : 0;
}
