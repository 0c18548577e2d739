/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of a container's keys that root alone may give it, for they open a way out to the node. Pure. */
#pragma once

#include "agent/guest/ct_schema.h"

/* What it is, in words; NULL: anybody may who may set the key. is_unprivileged: the container is, or will be. */
const char *ct_roots_what(const struct field *f, bool is_unprivileged);
/* Of keys that come into force with a clone (now: NULL) or a rollback, asked for by somebody else than root. What root
 * set and still stands in `now` stays valid: its owner may go back to a snapshot. What root has taken away since does
 * not come back, and nobody else makes a second guest that has it. ERR_DENIED names the key. */
int ct_roots_check_again(const struct fields *keys, const struct guest_config *now,
			 struct err *err);
