/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /storage.cfg: sections "type: id" followed by indented "key value" lines. Pure. */
#pragma once

#include <stdbool.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"

#define STORAGE_CFG_MAX 256 /* storages */

struct storage_def {
	char *type; /* "dir" */
	char *id;   /* "local" */
	struct fields keys; /* path, content, nodes, disable, shared, … */
};

struct storage_cfg {
	struct storage_def *items;
	size_t count;
};

int storage_cfg_parse(const char *text, size_t size, struct storage_cfg *ret, struct err *err);
void storage_cfg_format(const struct storage_cfg *cfg, struct buf *out);
void storage_cfg_fini(struct storage_cfg *cfg);
const struct storage_def *storage_cfg_find(const struct storage_cfg *cfg, const char *id);
const char *storage_def_get(const struct storage_def *def, const char *key); /* NULL if unset */
/* "content" holds the type ("rootdir", "vztmpl", "iso", "images", "snippets", "backup", "import"). */
bool storage_def_has_content(const struct storage_def *def, const char *content);
bool storage_def_is_on_node(const struct storage_def *def, const char *node);
/* A definition as call arguments: "storage-type", "storage-id" and each key as "key.NAME" (appended).
 * The prefix keeps them apart from a job's own "type" and "id"; where they are absent, decoding takes
 * plain "type" and "id". */
void storage_def_encode(const struct storage_def *def, struct fields *out);
int storage_def_decode(const struct fields *args, struct storage_def *ret, struct err *err);
void storage_def_fini(struct storage_def *def);
/* What a first start writes: dir "local" at path with all content types. */
extern const char storage_cfg_default_format[]; /* printf format with one %s: the path */
