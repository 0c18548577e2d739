/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time in microseconds. Monotonic for deadlines, boottime for leases, wall clock only to show. */
#pragma once

#include <stdint.h>

typedef uint64_t usec_t;

#define USEC_PER_SEC  1000000ULL
#define USEC_PER_MSEC 1000ULL

usec_t clock_monotonic(void);
usec_t clock_boottime(void);
usec_t clock_wall(void);
/* Milliseconds until a monotonic deadline, 0 when past, capped to INT_MAX; for poll(). */
int clock_left_ms(usec_t deadline);
