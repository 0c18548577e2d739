/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies of trees within a bound: one tar writes, another one reads, and we pass on as much as may pass. Private to
 * storage/. Job processes only. */
#pragma once

#include <stdbool.h>

#include "agent/base/err.h"
#include "storage/bucket.h"

struct tree_copy {
	const char *from, *to; /* folders */
	struct bucket *bucket;
	usec_t deadline;
	bool (*is_stopped)(void); /* or NULL: ERR_CANCELLED */
};

int tree_copy_run(const struct tree_copy *copy, struct err *err);
