/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs that last no longer than the right to them: consoles and programs in containers, which carry what somebody
 * types and reads. What they were begun with is an argument of theirs, so that it outlives the core. With each
 * change of users, tokens, passwords and rights, and at the start of the core, those are stopped whose user or
 * token ended or was logged out, or lost a privilege on the guest. That a ticket's time is over stops nothing.
 * Core's loop. */
#pragma once

#include "agent/core/core.h"

/* Ties the job that is started with these arguments, and whose task id is the guest's, to who asks for it and to
 * privs, all of them ("VM.Console VM.Audit"). Nothing ends the right of local root. */
void job_rights_tie(const struct identity *who, const char *privs, struct fields *args);

struct job_rights;

struct job_rights *job_rights_new(struct core *core);
void job_rights_free(struct job_rights *rights);
