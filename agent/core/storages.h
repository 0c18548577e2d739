/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Storage definitions (/storage.cfg) and their last known capacity. Capacity comes from a helper
 * process, so a dead NFS server blocks nobody; lists show the cached figures. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/clock.h"
#include "storage/volid/storage_cfg.h"

struct core;
struct storages;

struct storage_status {
	bool is_active; /* answered at the last check */
	uint64_t total, used, available; /* bytes */
	usec_t observed;		 /* monotonic; 0: never */
};

struct storages *storages_new(struct core *core);
void storages_free(struct storages *s);
const struct storage_cfg *storages_config(const struct storages *s);
const struct storage_status *storages_status(const struct storages *s, const char *id);
/* Asks again, unless the last answer is younger than 5 s; done (may be NULL) is called once. */
void storages_refresh(struct storages *s, const char *id,
		      void (*done)(const struct storage_status *status, void *ctx), void *ctx);
