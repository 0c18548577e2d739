/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemons that the supervisor knows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct service_def {
	const char *name;
	/* NULL: always. Asked again before each start. */
	bool (*is_wanted)(void);
	/* NULL: never. True: somebody else's does the work; it is used and left alone. */
	bool (*is_served)(void);
	/* NULL: never. True: what it leans on is not there yet; its first start waits for that, a
	 * few seconds at most. */
	bool (*is_early)(void);
	/* Not the program of that name in path_libexec(): `lodge-supervise exec NAME` becomes it. */
	bool is_foreign;
	/* Running guests lean on it: it stays when the supervisor ends, and the next one finds it again. */
	bool is_lasting;
};

extern const struct service_def service_defs[]; /* in the order of their start */
extern const size_t service_count;
#define SERVICE_COUNT_MAX 8
