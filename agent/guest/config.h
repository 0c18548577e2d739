/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's configuration text: "key: value" lines, leading '#' lines are the description
 * (percent-encoded), then sections "[name]" (snapshots), "[PENDING]", "[special:…]". Pure; keeps
 * order and unknown keys, so that formatting a parsed text gives the same text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/buf.h"
#include "agent/base/digest.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"

#define GUEST_CONFIG_MAX (512 * 1024)

struct guest_section {
	char *name;	    /* "" for the main section, "PENDING", snapshot names */
	char *description;  /* decoded text or NULL */
	struct fields keys; /* in order; lxc.* lines keep repeating; in PENDING "delete" = "a,b" */
};

struct guest_config {
	struct guest_section *sections; /* [0] is the main section, always there */
	size_t count;
	char digest[SHA1_HEX_SIZE]; /* of the text it was parsed from; "" for a new one */
};

int guest_config_parse(const char *text, size_t size, struct guest_config *ret, struct err *err);
void guest_config_format(const struct guest_config *config, struct buf *out);
void guest_config_init(struct guest_config *config); /* one empty main section */
void guest_config_fini(struct guest_config *config);
void guest_config_copy(struct guest_config *dst, const struct guest_config *src);
const char *guest_config_get(const struct guest_config *config, const char *key); /* main section */
bool guest_config_flag(const struct guest_config *config, const char *key); /* absent: false */
void guest_config_set(struct guest_config *config, const char *key, const char *value);
bool guest_config_delete(struct guest_config *config, const char *key);
struct guest_section *guest_config_section(struct guest_config *config,
					   const char *name); /* or NULL */
struct guest_section *guest_config_section_add(struct guest_config *config, const char *name);
void guest_config_section_remove(struct guest_config *config, const char *name);
