/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration of a copy of a guest. Pure but for random addresses and ids. */
#pragma once

#include "agent/guest/guest.h"

struct guest_clone {
	unsigned vmid;
	const char *snapshot;	 /* copy this state; NULL: the current one */
	const char *name;	 /* NULL: "Copy-of-NAME" */
	const char *description; /* NULL: the source's */
};

/* Everything but the volumes, with addresses and ids of its own; not a template, without snapshots, locks and what
 * waits for the next start. ERR_UNSUPPORTED: something that cannot be copied (a folder of the node). */
int guest_clone_config(const struct guest_kind_ops *ops, const struct guest_config *source,
		       const struct guest_clone *clone, struct guest_config *ret, struct err *err);
