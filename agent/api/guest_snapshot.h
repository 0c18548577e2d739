/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of guests of any kind over the API. Core's loop only. */
#pragma once

#include "agent/api/guest_request.h"
#include "agent/guest/volumes.h"
#include "storage/volid/feature.h"

/* Writes the configuration as it was then. */
int guest_snapshot_show(struct api_request *req, const struct guest_target *target,
			const char *name, struct err *err);
/* Can the storages do that with every volume that the guest uses, or used then (snapshot NULL: now)? The first one
 * that cannot is ERR_UNSUPPORTED "feature not available: why". */
int guest_check_feature(const struct api_request *req, const struct guest_target *target,
			const char *snapshot, enum volume_feature feature, struct err *err);
int guest_check_volume_feature(const struct api_request *req, const struct guest_volume *v,
			       const char *snapshot, enum volume_feature feature, struct err *err);

/* guest_snapshot_check_open(), if the guest runs; a snapshot that is not there passes. */
int guest_check_open(const struct guest_target *target, const char *snapshot, const char *action,
		     struct err *err);

int guest_handle_snapshot_list(struct api_request *req, struct err *err);
int guest_handle_snapshot_create(struct api_request *req, struct err *err);
int guest_handle_snapshot_index(struct api_request *req, struct err *err);
int guest_handle_snapshot_delete(struct api_request *req, struct err *err);
int guest_handle_snapshot_config_get(struct api_request *req, struct err *err);
int guest_handle_snapshot_config_put(struct api_request *req, struct err *err);
int guest_handle_snapshot_rollback(struct api_request *req, struct err *err);
int guest_handle_feature(struct api_request *req, struct err *err);
