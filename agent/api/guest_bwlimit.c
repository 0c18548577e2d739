/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bandwidth limits of jobs. Runs on the core's loop. */
#include "agent/api/guest_bwlimit.h"

#include "agent/api/cluster_options.h"
#include "agent/base/str.h"
#include "agent/core/storages.h"
#include "storage/volid/bwlimit.h"

#define KIB 1024

static bool may_decide(const struct api_request *req, const struct fields *storages)
{
	if (api_may(req, "/", "Sys.Modify"))
		return true;
	for (size_t i = 0; i < storages->count; i++) {
		autofree char *path = xasprintf("/storage/%s", storages->items[i].name);

		if (!api_may(req, path, "Datastore.Allocate"))
			return false;
	}
	return storages->count > 0;
}

static uint64_t of_storage(const struct api_request *req, const char *operation, const char *id,
			   const char *general)
{
	const struct storage_def *def = storage_cfg_find(storages_config(req->core->storages), id);
	uint64_t own = bwlimit_of(def ? storage_def_get(def, "bwlimit") : NULL, operation);
	uint64_t limit = own != BWLIMIT_UNSAID ? own : bwlimit_of(general, operation);

	return limit != BWLIMIT_UNSAID ? limit : 0;
}

uint64_t guest_bwlimit(const struct api_request *req, const char *operation,
		       const struct fields *storages)
{
	autofree char *general = cluster_option(req->core, "bwlimit");
	uint64_t asked = bwlimit_kib(api_str(req, "bwlimit")), limit = 0;

	if (asked != BWLIMIT_UNSAID && may_decide(req, storages))
		return asked / KIB;
	for (size_t i = 0; i < storages->count; i++)
		limit = bwlimit_smaller(
			limit, of_storage(req, operation, storages->items[i].name, general));
	return (asked != BWLIMIT_UNSAID ? bwlimit_smaller(limit, asked) : limit) / KIB;
}
