/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Container templates that this node can make by itself or download: its lists, and their making. */
#pragma once

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"
#include "agent/task/task.h"
#include "storage/catalog/catalog.h"

/* The contract's list of templates: those whose tools and keys are here. No args. */
int helper_templates(const struct fields *args, struct buf *out, struct err *err);

/* From PATH_SHARE/templates.list and PATH_ETC/templates.d; a list that is wrong is logged and left out. */
void templates_load(struct catalog *ret);
/* Those that are possible here; after NULL the first one, NULL at the end. */
const struct catalog_entry *templates_next(const struct catalog *catalog,
					   const struct catalog_entry *after);
int templates_find(const struct catalog *catalog, const char *file,
		   const struct catalog_entry **ret, struct err *err);
/* Makes one that is made, as `file`, in the storage that args define. */
int template_make(const struct fields *args, const struct catalog_entry *entry, const char *file,
		  struct err *err);
