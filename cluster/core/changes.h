/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies between two states of the values, for those who were told of the one. Pure. */
#pragma once

#include "cluster/core/kv.h"

/* Calls each for every path whose value or version differs, in path order. `before` is the item in old, `now` that in
 * new. Two replicas give one version to one value only; the bytes are compared as well, because a caller that
 * misses a change would never hear of it again. */
void changes_each(const struct kv *old, const struct kv *new, kv_change_fn each, void *ctx);
