/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters that the routes of snapshots of all kinds of guests have in common. Data only. */
#include "agent/api/guest_life_routes.h"

const struct param guest_snapshot_params[] = {GUEST_PARAMS, SNAPNAME_PARAM(false), PARAM_END};

const struct param guest_snapshot_delete_params[] = {
	GUEST_PARAMS,
	SNAPNAME_PARAM(false),
	GUEST_FLAG_PARAM("force", "Forget it even if a storage cannot delete it."),
	PARAM_END,
};

const struct param guest_snapshot_describe_params[] = {
	GUEST_PARAMS,
	SNAPNAME_PARAM(false),
	DESCRIPTION_PARAM,
	PARAM_END,
};

const struct param guest_snapshot_rollback_params[] = {
	GUEST_PARAMS,
	SNAPNAME_PARAM(false),
	GUEST_OFF_PARAM("start", "Start it afterwards."),
	PARAM_END,
};

static const char *const features[] = {"snapshot", "clone", "copy", NULL};

const struct param guest_feature_params[] = {
	GUEST_PARAMS,
	{.name = "feature", .choices = features, .text = "What is asked for."},
	SNAPNAME_PARAM(true),
	PARAM_END,
};
