/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the route tables of snapshots, copies and volumes share between the kinds of guests. Data. */
#pragma once

#include "agent/api/pools.h"
#include "agent/api/guest_life.h"
#include "agent/api/guest_routes.h"
#include "agent/api/guest_snapshot.h"

#define SNAPNAME_PARAM(optional_)                                                                  \
	{                                                                                          \
		.name = "snapname", .optional = optional_, .format = "pve-configid",               \
		.has_max = true, .max = 40, .text = "Name of the snapshot."                        \
	}
#define DESCRIPTION_PARAM                                                                          \
	{                                                                                          \
		.name = "description", .optional = true, .has_max = true, .max = 8192,             \
		.text = "Notes."                                                                   \
	}
#define BWLIMIT_PARAM(type_)                                                                       \
	{                                                                                          \
		.name = "bwlimit", .type = type_, .optional = true, .has_min = true, .min = 0,     \
		.text = "Bound of what is read of images, in KiB a second; 0: none."               \
	}
#define STORAGE_PARAM(text_)                                                                       \
	{                                                                                          \
		.name = "storage", .optional = true, .format = "pve-storage-id", .text = text_     \
	}
#define DIGEST_PARAM(name_, text_)                                                                 \
	{                                                                                          \
		.name = name_, .optional = true, .has_max = true, .max = 40, .text = text_         \
	}

/* of a clone, beside its name */
#define CLONE_PARAMS(bwlimit_type)                                                                 \
	GUEST_PARAMS, BWLIMIT_PARAM(bwlimit_type), DESCRIPTION_PARAM,                              \
		GUEST_FLAG_PARAM("full",                                                           \
				 "Copy everything; a template is linked to by default where "      \
				 "its storage can."),                                              \
		PARAM_VMID("newid", false, "Id of the copy."),                                     \
		API_POOL_PARAM,                                                                    \
		SNAPNAME_PARAM(true), STORAGE_PARAM("Where the copy's volumes are made."),         \
	{                                                                                          \
		.name = "target", .optional = true, .format = "pve-node",                          \
		.text = "Node that gets the copy; this one."                                       \
	}

#define SNAPSHOT_NEEDS                                                                             \
	{                                                                                          \
		.kind = API_CHECK, .path = "/vms/{vmid}",                                          \
		.privs = "VM.Snapshot|VM.Snapshot.Rollback", .any = true                           \
	}
#define SNAPSHOT_LOOK_NEEDS                                                                        \
	{                                                                                          \
		.kind = API_CHECK, .path = "/vms/{vmid}",                                          \
		.privs = "VM.Snapshot|VM.Snapshot.Rollback|VM.Audit", .any = true                  \
	}

#define SNAPSHOT_RETURNS_LIST                                                                      \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":"   \
	"\"string\"},\"description\":{\"type\":\"string\"}" GUEST_OPT("parent", "string")          \
		GUEST_OPT("snaptime", "integer") GUEST_OPT("snapstate", "string")                  \
			GUEST_OPT("digest", "string") GUEST_OPT("running", "boolean") "}}}"
#define SNAPSHOT_RETURNS_INDEX                                                                     \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"cmd\":{\"type\":"    \
	"\"string\"}}}}"
#define FEATURE_RETURNS                                                                            \
	"{\"type\":\"object\",\"properties\":{\"hasFeature\":{\"type\":\"boolean\"}" GUEST_OPT(    \
		"reason", "string") GUEST_OPT("nodes", "array") "}}"

#define SNAPSHOT_ROUTE_(KIND, verb_, below, text_, params_, permission_, returns_, handle_)        \
	{                                                                                          \
		.verb = verb_, .path = "/nodes/{node}/" KIND "/{vmid}/snapshot" below,             \
		.text = text_, .params = params_, .permission = permission_, .returns = returns_,  \
		.handle = handle_,                                                                 \
	}
/* params_: of making one */
#define SNAPSHOT_ROUTES(KIND, NOUN, params_)                                                       \
	SNAPSHOT_ROUTE_(KIND, API_GET, "", "The snapshots of a " NOUN ".", guest_params,           \
			GUEST_NEEDS("VM.Audit"), SNAPSHOT_RETURNS_LIST,                            \
			guest_handle_snapshot_list),                                               \
		SNAPSHOT_ROUTE_(KIND, API_POST, "", "Make a snapshot of a " NOUN ".", params_,     \
				GUEST_NEEDS("VM.Snapshot"), GUEST_RETURNS_UPID,                    \
				guest_handle_snapshot_create),                                     \
		SNAPSHOT_ROUTE_(KIND, API_GET, "/{snapname}", "Index of a snapshot.",              \
				guest_snapshot_params, {.kind = API_USER}, SNAPSHOT_RETURNS_INDEX, \
				guest_handle_snapshot_index),                                      \
		SNAPSHOT_ROUTE_(KIND, API_DELETE, "/{snapname}", "Delete a snapshot.",             \
				guest_snapshot_delete_params, GUEST_NEEDS("VM.Snapshot"),          \
				GUEST_RETURNS_UPID, guest_handle_snapshot_delete),                 \
		SNAPSHOT_ROUTE_(KIND, API_GET, "/{snapname}/config",                               \
				"The configuration of a " NOUN " as a snapshot has it.",           \
				guest_snapshot_params, SNAPSHOT_LOOK_NEEDS, GUEST_RETURNS_CONFIG,  \
				guest_handle_snapshot_config_get),                                 \
		SNAPSHOT_ROUTE_(KIND, API_PUT, "/{snapname}/config", "Describe a snapshot.",       \
				guest_snapshot_describe_params, GUEST_NEEDS("VM.Snapshot"),        \
				"{\"type\":\"null\"}", guest_handle_snapshot_config_put),          \
		SNAPSHOT_ROUTE_(KIND, API_POST, "/{snapname}/rollback",                            \
				"Take a " NOUN " back to a snapshot; a running one is stopped.",   \
				guest_snapshot_rollback_params, SNAPSHOT_NEEDS,                    \
				GUEST_RETURNS_UPID, guest_handle_snapshot_rollback)

#define FEATURE_ROUTE(KIND, NOUN)                                                                  \
	{                                                                                          \
		.verb = API_GET, .path = "/nodes/{node}/" KIND "/{vmid}/feature",                  \
		.text = "Whether the storages of a " NOUN " can do that with its volumes.",        \
		.params = guest_feature_params, .permission = GUEST_NEEDS("VM.Audit"),             \
		.returns = FEATURE_RETURNS, .handle = guest_handle_feature,                        \
	}
#define CLONE_ROUTE(KIND, NOUN, params_)                                                           \
	{                                                                                          \
		.verb = API_POST, .path = "/nodes/{node}/" KIND "/{vmid}/clone",                   \
		.text = "Make a copy of a " NOUN ".", .params = params_,                           \
		.permission = {.kind = API_CHECK,                                                  \
			       .path = "/vms/{vmid}",                                              \
			       .privs = "VM.Clone",                                                \
			       .text = "Also VM.Allocate on /vms/{newid} and "                     \
				       "Datastore.AllocateSpace on the storages."},                \
		.returns = GUEST_RETURNS_UPID, .handle = guest_handle_clone,                       \
	}
#define VOLUME_ROUTE(KIND, verb_, below, text_, params_, handle_)                                  \
	{                                                                                          \
		.verb = verb_, .path = "/nodes/{node}/" KIND "/{vmid}/" below, .text = text_,      \
		.params = params_,                                                                 \
		.permission = {.kind = API_CHECK,                                                  \
			       .path = "/vms/{vmid}",                                              \
			       .privs = "VM.Config.Disk",                                          \
			       .text = "Also Datastore.AllocateSpace on the storage, and "         \
				       "VM.Config.Disk on a guest that gets the volume."},         \
		.returns = GUEST_RETURNS_UPID, .handle = handle_,                                  \
	}

/* guest_life_routes.c */
extern const struct param guest_snapshot_params[], guest_snapshot_delete_params[],
	guest_snapshot_describe_params[], guest_snapshot_rollback_params[], guest_feature_params[];

/* "+10G", "32G", bytes without a letter */
#define SIZE_PARAM                                                                                 \
	{                                                                                          \
		.name = "size", .pattern = "\\+?[0-9]+(\\.[0-9]+)?[KMGT]?",                        \
		.text = "The new size, or with a + how much is added."                             \
	}
