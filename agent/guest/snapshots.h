/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots as a guest's configuration keeps them: a section of that name with the keys as they were, and
 * "parent", "snaptime" (wall clock, s) and, only while one is made or deleted, "snapstate". The main section's
 * "parent" is the snapshot that the current state stems from. Pure.
 *
 *   begin ── commit        prepare → there
 *     └───── remove        prepare → gone
 *   mark_deleted ── remove delete  → gone
 *         └──── unmark     delete  → there, nothing of it was deleted */
#pragma once

#include <stdint.h>

#include "agent/base/json.h"
#include "agent/guest/guest.h"

#define SNAPSHOT_PREPARE "prepare"
#define SNAPSHOT_DELETE	 "delete"

bool guest_section_is_snapshot(const struct guest_section *section);
/* ERR_INVALID on "snapname": no name that a snapshot can have. */
int guest_snapshot_name_check(const char *name, struct err *err);
/* NULL: there is none. Borrowed until config changes. */
const struct guest_section *guest_snapshot_find(const struct guest_config *config,
						const char *name);
/* ERR_NOT_FOUND "snapshot 'x' does not exist", also for one that is being made; ERR_BUSY: being deleted. */
int guest_snapshot_require(const struct guest_config *config, const char *name,
			   const struct guest_section **ret, struct err *err);
const char *guest_snapshot_state(const struct guest_section *section); /* NULL: it is there */

/* ERR_UNSUPPORTED "feature not available: ACTION of a running …": the guest, if it runs, has an image open in which a
 * part of the snapshot lies. What is inside of it is the emulator's then. */
int guest_snapshot_check_open(const struct guest_kind_ops *ops, const struct guest_config *config,
			      const struct guest_section *section, const char *action,
			      struct err *err);

/* A section with the keys of now; ERR_EXISTS, ERR_LIMIT. description may be NULL. */
int guest_snapshot_begin(struct guest_config *config, const char *name, const char *description,
			 uint64_t now, struct err *err);
void guest_snapshot_commit(struct guest_config *config, const char *name);
void guest_snapshot_mark_deleted(struct guest_config *config, const char *name);
void guest_snapshot_unmark(struct guest_config *config, const char *name);
/* Its children's parent becomes its own. */
void guest_snapshot_remove(struct guest_config *config, const char *name);
/* The same for one that was there: volumes that nothing else names become unused. ERR_LIMIT: no key is left for one. */
int guest_snapshot_forget(const struct guest_kind_ops *ops, struct guest_config *config,
			  const char *name, struct err *err);
void guest_snapshot_describe(struct guest_config *config, const char *name,
			     const char *description);
/* The main section becomes what the snapshot was; lock, description and unused volumes stay. Volumes that nothing
 * would name any more become unused. Waiting changes are dropped. */
int guest_snapshot_restore(const struct guest_kind_ops *ops, struct guest_config *config,
			   const char *name, struct err *err);
#define SNAPSHOTS_MAX 100

/* The list as the API shows it, oldest first, "current" last. */
void guest_snapshots_write(const struct guest_config *config, bool is_running, struct json *j);
/* What a snapshot's section says, as a configuration of its own. */
void guest_snapshot_config(const struct guest_config *config, const char *name,
			   struct guest_config *ret);
