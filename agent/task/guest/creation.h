/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that comes into being has a configuration with "lock: create". Keys of it may name volumes that were there
 * before: only those that its job noted ([special:create]), each before it was made, are freed when the guest does not
 * come to be. Runs in jobs. */
#pragma once

#include "agent/guest/guest.h"
#include "agent/task/task.h"

void guest_creation_note(struct guest_config *config, const char *volid);
/* It is not ours, whoever's it is. */
void guest_creation_disown(struct guest_config *config, const char *volid);
/* In the step that ends it: the guest is there. */
void guest_creation_end(struct guest_config *config);

struct guest_creation {
	const struct guest_kind_ops *ops;
	const struct fields *foreign; /* ids as names: noted, but not made by us; NULL: none */
	void (*clean)(unsigned vmid); /* what else such a guest leaves; NULL: nothing */
};
/* Frees what was made, then removes the configuration; one without the lock, or none, is fine and left alone. Writes
 * before it frees: the creation's last write may still be on its way to the store, and then comes too late; where it
 * came first, there is nothing to undo. Does it again without harm. */
int guest_creation_undo(struct task_ctx *task, const struct guest_creation *creation,
			struct err *err);
