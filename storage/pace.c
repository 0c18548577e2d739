/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits for bandwidth. Job processes only. */
#include "storage/pace.h"

#include <poll.h>
#include <stddef.h>

#define STEP_MAX 100 /* ms, between two looks at is_stopped */

void pace_take(struct bucket *bucket, uint64_t size, bool (*is_stopped)(void))
{
	usec_t now = clock_monotonic(), due = now + bucket_take(bucket, size, now);

	while (clock_left_ms(due) > 0 && !(is_stopped && is_stopped()))
		(void)poll(NULL, 0, clock_left_ms(due) > STEP_MAX ? STEP_MAX : clock_left_ms(due));
}
