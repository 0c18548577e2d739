/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of storage types. Job and helper processes only. */
#include "storage/storage.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/btrfs.h"
#include "storage/dir.h"

static const struct storage_driver *const drivers[] = {
	&storage_driver_dir,
	&storage_driver_btrfs,
};

const struct storage_driver *storage_driver_find(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (str_eq(drivers[i]->type, type))
			return drivers[i];
	return NULL;
}
