/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bound of bytes a second, as a token bucket that holds what passes in a tenth of a second. Pure: the clock is passed
 * in. */
#pragma once

#include <stdint.h>

#include "agent/base/clock.h"

#define BUCKET_TAKE_MAX ((uint64_t)1 << 40)

struct bucket {
	uint64_t rate; /* bytes a second; 0: no bound */
	usec_t due;    /* when all that was taken has passed; 0: nothing was taken yet */
	uint64_t rest; /* of bytes * 1,000,000 that is no whole microsecond yet */
};

/* Takes size bytes, at most BUCKET_TAKE_MAX, at the time now. Returns how long to wait before going on. */
usec_t bucket_take(struct bucket *bucket, uint64_t size, usec_t now);
