/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to a guest's configuration: set, delete, revert, and what is kept for the next start.
 * Pure: works on a config, checks nothing about values (that is the schema's). */
#pragma once

#include "agent/guest/config.h"

struct config_change {
	const struct fields *set;  /* key -> value */
	char *const *delete_keys;  /* NULL-terminated, may be NULL */
	char *const *revert_keys;  /* pending changes to drop */
};

/* is_running: only keys of `live` (NULL-terminated: description, tags, onboot, …) change at once,
 * all others go to [PENDING]. Otherwise everything changes at once and [PENDING] of the touched
 * keys is dropped. */
void config_change_apply(struct guest_config *config, const struct config_change *change,
			 bool is_running, const char *const *live);
/* Merges [PENDING] into the main section (before a start) and removes it. true if anything changed. */
bool config_pending_merge(struct guest_config *config);
