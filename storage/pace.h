/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeping to a bound of bytes a second by waiting. Job processes only. */
#pragma once

#include <stdbool.h>

#include "storage/bucket.h"

/* Takes size bytes and waits as long as bucket_take() says, or until is_stopped() (may be NULL) is true. */
void pace_take(struct bucket *bucket, uint64_t size, bool (*is_stopped)(void));
