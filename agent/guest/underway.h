/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a job is doing to a guest's volumes, as its configuration says: a section that the job leaves before it begins
 * and takes away at its end. Who finds one without a job knows how to end it. Pure. */
#pragma once

#include "agent/guest/config.h"

#define UNDERWAY_MOVE	  "special:move"
#define UNDERWAY_ROLLBACK "special:rollback" /* snapname */
#define UNDERWAY_CLONE	  "special:clone"    /* of the source; newid */
#define UNDERWAY_TEMPLATE "special:template"
#define UNDERWAY_DESTROY  "special:destroy"
/* volumeN: volumes that a change makes, or frees, and that unusedN names meanwhile; of which job (",job=…"). The one that comes without a lock:
 * who asks for a change is answered when it is done. */
#define UNDERWAY_CONFIG "special:config"
/* volumeN: volumes that a creation or a copy makes. Its lock is "create", which says enough. */
#define UNDERWAY_CREATE "special:create"

struct guest_underway {
	const char *command; /* that ends it, behind the kind's prefix: "move-undo"; constant */
	char snapname[64];   /* its argument, or "" */
};

/* false: nothing is, or the lock that goes with it was taken away. */
bool guest_underway_find(const struct guest_config *config, struct guest_underway *ret);
void guest_underway_set(struct guest_config *config, const char *section, const char *key,
			const char *value);

/* Volumes that a job makes or frees, as volumeN of its section. owner: the job, NULL: whoever's; a note without one is
 * everybody's. */
void guest_underway_note(struct guest_config *config, const char *section, const char *volid,
			 const char *owner);
/* One of them, or with NULL all; the section goes with the last. */
void guest_underway_drop(struct guest_config *config, const char *section, const char *volid,
			 const char *owner);
/* Does another job than `owner` make or free that volume? owner NULL: any does. */
bool guest_underway_is_others(const struct guest_config *config, const char *section,
			      const char *volid, const char *owner);
/* Their ids as names. Appends. */
void guest_underway_volumes(const struct guest_config *config, const char *section,
			    const char *owner, struct fields *ret);
