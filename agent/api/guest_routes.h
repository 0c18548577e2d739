/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the route tables of all kinds of guests share: parameters, schemas of what is returned, and the
 * routes that differ in path and wording only. Data, for lxc_*.c and qemu_*.c.
 *
 * In the macros KIND is the kind's path component ("lxc"), NOUN what a guest of it is called. */
#pragma once

#include "agent/api/guest_handlers.h"

/* -- parameters -- */

#define GUEST_PARAMS GUEST_NODE_PARAM, GUEST_VMID_PARAM

#define GUEST_FLAG_PARAM(name_, text_)                                                             \
	{                                                                                          \
		.name = name_, .type = PARAM_BOOLEAN, .optional = true, .text = text_              \
	}
#define GUEST_OFF_PARAM(name_, text_) /* a flag whose default is shown */                          \
	{                                                                                          \
		.name = name_, .type = PARAM_BOOLEAN, .optional = true, .default_text = "0",       \
		.text = text_                                                                      \
	}
#define GUEST_SECONDS_PARAM(least, default_, text_)                                                \
	{                                                                                          \
		.name = "timeout", .type = PARAM_INTEGER, .optional = true, .has_min = true,       \
		.min = least, .has_max = true, .max = 86400, .default_text = default_,             \
		.text = text_                                                                      \
	}

/* of a change of the configuration, beside its keys */
#define GUEST_CHANGE_PARAMS                                                                        \
	{.name = "delete",                                                                         \
	 .optional = true,                                                                         \
	 .format = "pve-configid-list",                                                            \
	 .text = "Keys to delete."},                                                               \
		{.name = "digest",                                                                 \
		 .optional = true,                                                                 \
		 .has_max = true,                                                                  \
		 .max = 40,                                                                        \
		 .text = "Refuse unless the configuration still has this digest."},                \
		{.name = "revert",                                                                 \
		 .optional = true,                                                                 \
		 .format = "pve-configid-list",                                                    \
		 .text = "Keys whose waiting change is dropped."},                                 \
		GUEST_SKIPLOCK_PARAM

#define GUEST_SKIPLOCK_PARAM	GUEST_FLAG_PARAM("skiplock", "Ignore the lock; root only.")
#define GUEST_START_AFTER_PARAM GUEST_OFF_PARAM("start", "Start it once it is made.")

/* guest_routes.c */
extern const struct param guest_params[], guest_destroy_params[], guest_config_get_params[],
	guest_config_put_params[], guest_stop_params[], guest_shutdown_params[],
	guest_reboot_params[];

/* -- schemas -- */

#define GUEST_RETURNS_INDEX                                                                        \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"subdir\":"           \
	"{\"type\":\"string\"}}}}"
#define GUEST_RETURNS_UPID "{\"type\":\"string\"}"
#define GUEST_RETURNS_CONFIG                                                                       \
	"{\"type\":\"object\",\"properties\":{\"digest\":{\"type\":\"string\"}}}"

#define GUEST_OPT(name, type) ",\"" name "\":{\"type\":\"" type "\",\"optional\":1}"

#define GUEST_RETURNS_STATUS(own)                                                                  \
	"{\"type\":\"object\",\"properties\":{\"vmid\":{\"type\":\"integer\"},\"status\":"         \
	"{\"type\":\"string\",\"enum\":[\"stopped\",\"running\",\"paused\",\"unknown\"]"           \
	"}" GUEST_OPT("type", "string") GUEST_OPT("name", "string") GUEST_OPT(                     \
		"template", "boolean") GUEST_OPT("tags", "string") GUEST_OPT("lock", "string")     \
		GUEST_OPT("cpu", "number") GUEST_OPT("cpus", "number") GUEST_OPT("mem", "integer") \
			GUEST_OPT("maxmem", "integer") GUEST_OPT("disk", "integer") GUEST_OPT(     \
				"maxdisk", "integer") GUEST_OPT("diskread", "integer")             \
				GUEST_OPT("diskwrite", "integer") GUEST_OPT("netin", "integer")    \
					GUEST_OPT("netout", "integer") GUEST_OPT(                  \
						"uptime", "integer") GUEST_OPT("pid", "integer")   \
						GUEST_OPT("ha", "object") GUEST_OPT(               \
							"reason", "string") GUEST_OPT("exit-code", \
										      "integer")   \
							GUEST_OPT("exit-signal", "integer")        \
								GUEST_OPT("notices", "array") own  \
		"}}"

#define GUEST_RETURNS_PENDING                                                                      \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"key\":{\"type\":"    \
	"\"string\"}" GUEST_OPT("value", "string") GUEST_OPT("pending", "string")                  \
		GUEST_OPT("delete", "integer") "}}}"

/* -- routes -- */

#define GUEST_NEEDS(privs_)                                                                        \
	{                                                                                          \
		.kind = API_CHECK, .path = "/vms/{vmid}", .privs = privs_                          \
	}
/* Whoever may change some of a guest gets in; the handler looks at each key. */
#define GUEST_NEEDS_CONFIG(own)                                                                    \
	{                                                                                          \
		.kind = API_CHECK, .path = "/vms/{vmid}",                                          \
		.privs = "VM.Config.Disk|VM.Config.CPU|VM.Config.Memory|VM.Config.Network|"        \
			 "VM.Config.Options" own,                                                  \
		.any = true, .text = "Each key needs its own VM.Config privilege."                 \
	}

#define GUEST_LIST_ROUTE(KIND, NOUN, params_, status)                                              \
	{                                                                                          \
		.verb = API_GET, .path = "/nodes/{node}/" KIND,                                    \
		.text = "The " NOUN "s of this node.", .params = params_,                          \
		.permission = {.kind = API_USER,                                                   \
			       .text = "Shows those with VM.Audit on /vms/{vmid}."},               \
		.returns = "{\"type\":\"array\",\"items\":" status "}",                            \
		.handle = guest_handle_list,                                                       \
	}
#define GUEST_INDEX_ROUTE(KIND, NOUN)                                                              \
	{                                                                                          \
		.verb = API_GET, .path = "/nodes/{node}/" KIND "/{vmid}",                          \
		.text = "Index of a " NOUN ".", .params = guest_params,                            \
		.permission = {.kind = API_USER}, .returns = GUEST_RETURNS_INDEX,                  \
		.handle = guest_handle_index,                                                      \
	}
#define GUEST_DESTROY_ROUTE(KIND, NOUN)                                                            \
	{                                                                                          \
		.verb = API_DELETE, .path = "/nodes/{node}/" KIND "/{vmid}",                       \
		.text = "Destroy a " NOUN " and its volumes.", .params = guest_destroy_params,     \
		.permission = GUEST_NEEDS("VM.Allocate"), .returns = GUEST_RETURNS_UPID,           \
		.handle = guest_handle_destroy,                                                    \
	}
#define GUEST_CONFIG_ROUTE(KIND, NOUN)                                                             \
	{                                                                                          \
		.verb = API_GET, .path = "/nodes/{node}/" KIND "/{vmid}/config",                   \
		.text = "The configuration of a " NOUN ".", .params = guest_config_get_params,     \
		.permission = GUEST_NEEDS("VM.Audit"), .returns = GUEST_RETURNS_CONFIG,            \
		.handle = guest_handle_config_get,                                                 \
	}
#define GUEST_PENDING_ROUTE(KIND)                                                                  \
	{                                                                                          \
		.verb = API_GET, .path = "/nodes/{node}/" KIND "/{vmid}/pending",                  \
		.text = "The configuration with what waits for the next start.",                   \
		.params = guest_params, .permission = GUEST_NEEDS("VM.Audit"),                     \
		.returns = GUEST_RETURNS_PENDING, .handle = guest_handle_pending,                  \
	}
#define GUEST_STATUS_INDEX_ROUTE(KIND, NOUN)                                                       \
	{                                                                                          \
		.verb = API_GET, .path = "/nodes/{node}/" KIND "/{vmid}/status",                   \
		.text = "Index of a " NOUN "'s state and power.", .params = guest_params,          \
		.permission = {.kind = API_USER}, .returns = GUEST_RETURNS_INDEX,                  \
		.handle = guest_handle_index,                                                      \
	}
#define GUEST_STATUS_CURRENT_ROUTE(KIND, NOUN, status)                                             \
	{                                                                                          \
		.verb = API_GET, .path = "/nodes/{node}/" KIND "/{vmid}/status/current",           \
		.text = "State and load of a " NOUN ".", .params = guest_params,                   \
		.permission = GUEST_NEEDS("VM.Audit"), .returns = status,                          \
		.handle = guest_handle_status_current,                                             \
	}
#define GUEST_POWER_ROUTE(KIND, verb_, text_, params_, handle_)                                    \
	{                                                                                          \
		.verb = API_POST, .path = "/nodes/{node}/" KIND "/{vmid}/status/" verb_,           \
		.text = text_, .params = params_, .permission = GUEST_NEEDS("VM.PowerMgmt"),       \
		.returns = GUEST_RETURNS_UPID, .handle = handle_,                                  \
	}
/* Those whose handlers serve all kinds. */
#define GUEST_POWER_ROUTES(KIND, NOUN)                                                             \
	GUEST_POWER_ROUTE(KIND, "stop", "Stop a " NOUN " at once.", guest_stop_params,             \
			  guest_handle_stop),                                                      \
		GUEST_POWER_ROUTE(KIND, "shutdown", "Shut a " NOUN " down.",                       \
				  guest_shutdown_params, guest_handle_shutdown),                   \
		GUEST_POWER_ROUTE(KIND, "reboot", "Shut a " NOUN " down and start it again.",      \
				  guest_reboot_params, guest_handle_reboot)
