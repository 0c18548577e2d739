/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to a guest's configuration: set, delete, revert, and what is kept for the next start.
 * Pure: works on a config, checks nothing about values (that is the schema's). */
#pragma once

#include "agent/guest/config.h"

struct config_change {
	const struct fields *set; /* key -> value */
	char *const *delete_keys; /* NULL-terminated, may be NULL */
	char *const *revert_keys; /* pending changes to drop */
};

/* is_running: only keys of `live` (NULL-terminated: description, tags, onboot, …) change at once,
 * all others go to [PENDING]. Otherwise everything changes at once and [PENDING] of the touched
 * keys is dropped. */
void config_change_apply(struct guest_config *config, const struct config_change *change,
			 bool is_running, const char *const *live);
/* What waits for one key has been done: it becomes what counts. false: nothing waits. */
bool config_pending_settle(struct guest_config *config, const char *key);
/* The value that waits for a key; NULL: none does. *ret_deleted: its deletion waits. */
const char *config_pending_get(const struct guest_config *config, const char *key,
			       bool *ret_deleted);
/* Merges [PENDING] into the main section (before a start) and removes it. true if anything changed. */
bool config_pending_merge(struct guest_config *config);
