/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameter descriptions as data, and the check of one text value against one description. Used by
 * the API's route tables, by property strings and by stored configuration alike. The error texts are
 * the contract's (Proxmox VE API 9). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"

enum param_type { PARAM_STRING, PARAM_INTEGER, PARAM_NUMBER, PARAM_BOOLEAN, PARAM_ARRAY };

#define PARAM_UNBOUNDED (-1.0e300) /* for min; the positive one for max is PARAM_NO_MAX */
#define PARAM_NO_MAX	1.0e300

struct param {
	const char
		*name; /* "net[n]" stands for net0, net1, …; in path templates "{vmid}" is "vmid" */
	enum param_type type;
	bool optional;
	bool has_min, has_max;
	double min, max;	    /* of numbers; of the length for strings */
	const char *const *choices; /* NULL-terminated, or NULL */
	const char *format;	    /* a name of param_formats, or NULL */
	const char *pattern;	    /* POSIX extended regular expression, whole value; or NULL */
	const struct param *keys;   /* PARAM_STRING that is a property string: its keys, ended by
					  an entry without name; or NULL */
	const char *default_key;    /* key whose "name=" may be left out, or NULL */
	const char *requires;	    /* another one, which must be given with this one; or NULL */
	unsigned index_max;	    /* for "x[n]": n < index_max; 0: 32 */
	const char *text;	    /* one sentence for help and documentation */
	const char *default_text;   /* shown default, or NULL */
	bool is_secret;		    /* never logged, never in history */
	bool is_nul_list; /* values separated by NUL, which are kept as the two characters \0 */
};

/* A guest's id, for tables. */
#define PARAM_VMID(name_, optional_, text_)                                                        \
	{                                                                                          \
		.name = name_, .type = PARAM_INTEGER, .optional = optional_, .format = "pve-vmid", \
		.has_min = true, .min = 100, .has_max = true, .max = 999999999, .text = text_      \
	}
/* A node and a storage by their names, for tables. */
#define PARAM_NODE                                                                                 \
	{                                                                                          \
		.name = "node", .format = "pve-node", .text = "The node."                          \
	}
#define PARAM_STORAGE                                                                              \
	{                                                                                          \
		.name = "storage", .format = "pve-storage-id", .text = "The storage."              \
	}
#define PARAM_END                                                                                  \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* The description for `name` ("net0" finds "net[n]"); table ends with PARAM_END. NULL if none. */
const struct param *param_find(const struct param *table, const char *name);
/* Checks one value. On failure err->field is name and the message the contract's text. */
int param_check(const struct param *p, const char *name, const char *value, struct err *err);
/* A named format ("pve-node", "pve-vmid", "dns-name", "ipv4", "CIDRv4", "mac-addr", "disk-size",
 * "pve-storage-id", "pve-volume-id", "pve-userid", "pve-tokenid", "pve-bridge-id", "pve-ipv4-config",
 * "pve-ipv6-config", "…-list" of each, …). true if value conforms; unknown names abort. */
bool param_format_is_valid(const char *format, const char *value);
/* Writes the description as the contract's JSON schema does. */
struct json;
void param_to_json(struct json *j, const struct param *p);
