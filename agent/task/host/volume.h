/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From call arguments to a storage: its definition, driver and volume. Used by helpers and jobs. */
#pragma once

#include "agent/base/fields.h"
#include "storage/storage.h"

struct volume_target {
	struct storage_def def;
	const struct storage_driver *driver;
	struct volid volume; /* only after volume_target_volume() */
};

/* Decodes the definition and finds its driver. */
int volume_target_storage(const struct fields *args, struct volume_target *ret, struct err *err);
/* As above, and the argument "volid", which must be of that storage. */
int volume_target_volume(const struct fields *args, struct volume_target *ret, struct err *err);
void volume_target_fini(struct volume_target *target);

static inline void volume_target_finip(struct volume_target *target)
{
	volume_target_fini(target);
}
#define autotarget __attribute__((cleanup(volume_target_finip))) struct volume_target

/* The argument as a number; absent is fallback, bad is ERR_INVALID naming it. */
int volume_arg_u64(const struct fields *args, const char *name, uint64_t fallback, uint64_t *ret,
		   struct err *err);
