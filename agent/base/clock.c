/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time in microseconds. */
#include "agent/base/clock.h"

#include <limits.h>
#include <time.h>

static usec_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (usec_t)ts.tv_sec * USEC_PER_SEC + (usec_t)ts.tv_nsec / 1000;
}

usec_t clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

usec_t clock_boottime(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

usec_t clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

int clock_left_ms(usec_t deadline)
{
	usec_t now = clock_monotonic(), left;

	if (deadline <= now)
		return 0;
	left = (deadline - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
	return left > INT_MAX ? INT_MAX : (int)left;
}
