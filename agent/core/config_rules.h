/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may know of the store's configuration files that belong to no guest: one table, for the event stream
 * and for the history. Files that it does not name are no event, and read with Sys.Audit on "/". */
#pragma once

#include <stdbool.h>

struct config_rule {
	const char *prefix;   /* of paths in the store */
	const char *path;     /* of the ACL */
	const char *told;     /* any of these privileges: that it changed */
	bool of_some_storage; /* those on one of the storages do as well */
	const char *read;     /* this privilege on path: what it says and said */
};

const struct config_rule *config_rule_find(const char *config); /* NULL: none */
