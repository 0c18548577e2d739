/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: a virtual machine's snapshots, copies, and its disks. Data only. */
#include "agent/api/guest_life_routes.h"

#define DISK_KEY "ide[0-3]|sata[0-5]|scsi([0-9]|[12][0-9]|30)|virtio([0-9]|1[0-5])"
#define ANY_KEY	 DISK_KEY "|unused([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"

static const char *const formats[] = {"raw", "qcow2", "vmdk", NULL};

#define FORMAT_PARAM                                                                               \
	{                                                                                          \
		.name = "format", .optional = true, .choices = formats,                            \
		.text = "Format of the image that is made."                                        \
	}

static const struct param snapshot_params[] = {
	GUEST_PARAMS,
	SNAPNAME_PARAM(false),
	DESCRIPTION_PARAM,
	GUEST_FLAG_PARAM("vmstate", "With the state of its memory: not supported."),
	PARAM_END,
};

static const struct param clone_params[] = {
	CLONE_PARAMS(PARAM_INTEGER),
	FORMAT_PARAM,
	{.name = "name", .optional = true, .format = "dns-name", .text = "Name of the copy."},
	PARAM_END,
};

static const struct param template_params[] = {
	GUEST_PARAMS,
	{.name = "disk", .optional = true, .pattern = DISK_KEY, .text = "Not supported."},
	PARAM_END,
};

static const struct param resize_params[] = {
	GUEST_PARAMS,
	DIGEST_PARAM("digest", "Refuse unless the configuration still has this digest."),
	{.name = "disk", .pattern = DISK_KEY, .text = "The disk that grows."},
	SIZE_PARAM,
	GUEST_SKIPLOCK_PARAM,
	PARAM_END,
};

static const struct param move_params[] = {
	GUEST_PARAMS,
	BWLIMIT_PARAM(PARAM_INTEGER),
	GUEST_OFF_PARAM("delete", "Free the old volume instead of keeping it as unused."),
	DIGEST_PARAM("digest", "Refuse unless the configuration still has this digest."),
	{.name = "disk", .pattern = ANY_KEY, .text = "The disk that moves."},
	FORMAT_PARAM,
	STORAGE_PARAM("Where the disk goes."),
	DIGEST_PARAM("target-digest", "The same of the machine that gets it."),
	{.name = "target-disk",
	 .optional = true,
	 .pattern = ANY_KEY,
	 .text = "What it becomes there; the same by default."},
	PARAM_VMID("target-vmid", true, "Machine that gets the disk."),
	PARAM_END,
};

static const struct api_route routes[] = {
	SNAPSHOT_ROUTES("qemu", "virtual machine", snapshot_params),
	FEATURE_ROUTE("qemu", "virtual machine"),
	CLONE_ROUTE("qemu", "virtual machine", clone_params),
	{
		.verb = API_POST,
		.path = "/nodes/{node}/qemu/{vmid}/template",
		.text = "Make a virtual machine a template.",
		.params = template_params,
		.permission = GUEST_NEEDS("VM.Allocate"),
		.returns = GUEST_RETURNS_UPID,
		.handle = guest_handle_template,
	},
	VOLUME_ROUTE("qemu", API_PUT, "resize", "Grow a disk.", resize_params, guest_handle_resize),
	VOLUME_ROUTE("qemu", API_POST, "move_disk", "Move a disk to another storage or machine.",
		     move_params, guest_handle_move),
};

const struct api_table api_table_qemu_life = {routes, ARRAY_SIZE(routes)};
