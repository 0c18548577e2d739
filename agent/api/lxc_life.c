/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: a container's snapshots, copies, and its volumes. Data only. */
#include "agent/api/guest_life_routes.h"

#define VOLUME_KEY "rootfs|mp([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
#define ANY_KEY	   VOLUME_KEY "|unused([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"

static const struct param snapshot_params[] = {
	GUEST_PARAMS,
	SNAPNAME_PARAM(false),
	DESCRIPTION_PARAM,
	PARAM_END,
};

static const struct param clone_params[] = {
	CLONE_PARAMS(PARAM_NUMBER),
	{.name = "hostname",
	 .optional = true,
	 .format = "dns-name",
	 .has_max = true,
	 .max = 255,
	 .text = "Host name of the copy."},
	PARAM_END,
};

static const struct param resize_params[] = {
	GUEST_PARAMS,
	DIGEST_PARAM("digest", "Refuse unless the configuration still has this digest."),
	{.name = "disk", .pattern = VOLUME_KEY, .text = "The volume that grows."},
	SIZE_PARAM,
	PARAM_END,
};

static const struct param move_params[] = {
	GUEST_PARAMS,
	BWLIMIT_PARAM(PARAM_NUMBER),
	GUEST_OFF_PARAM("delete", "Free the old volume instead of keeping it as unused."),
	DIGEST_PARAM("digest", "Refuse unless the configuration still has this digest."),
	STORAGE_PARAM("Where the volume goes."),
	DIGEST_PARAM("target-digest", "The same of the container that gets it."),
	PARAM_VMID("target-vmid", true, "Container that gets the volume."),
	{.name = "target-volume",
	 .optional = true,
	 .pattern = ANY_KEY,
	 .text = "What it becomes there; the same by default."},
	{.name = "volume", .pattern = ANY_KEY, .text = "The volume that moves."},
	PARAM_END,
};

static const struct api_route routes[] = {
	SNAPSHOT_ROUTES("lxc", "container", snapshot_params),
	FEATURE_ROUTE("lxc", "container"),
	CLONE_ROUTE("lxc", "container", clone_params),
	{
		.verb = API_POST,
		.path = "/nodes/{node}/lxc/{vmid}/template",
		.text = "Make a container a template.",
		.params = guest_params,
		.permission = GUEST_NEEDS("VM.Allocate"),
		.returns = "{\"type\":\"null\"}",
		.handle = guest_handle_template,
	},
	VOLUME_ROUTE("lxc", API_PUT, "resize", "Grow a volume, and the file system on it.",
		     resize_params, guest_handle_resize),
	VOLUME_ROUTE("lxc", API_POST, "move_volume",
		     "Move a volume to another storage or container.", move_params,
		     guest_handle_move),
};

const struct api_table api_table_lxc_life = {routes, ARRAY_SIZE(routes)};
