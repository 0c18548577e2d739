/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which host ids an unprivileged container uses: its own lxc.idmap lines, or one range of root's in
 * /etc/subuid and /etc/subgid. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/guest/config.h"

#define CT_IDMAP_COUNT	65536u
#define CT_IDMAP_RANGES 64

struct ct_id_range {
	uint32_t inside, host, count;
};

struct ct_idmap {
	struct ct_id_range uid[CT_IDMAP_RANGES], gid[CT_IDMAP_RANGES];
	unsigned uids, gids; /* ranges */
};

/* The first range of at least CT_IDMAP_COUNT ids that text gives to root; 0: none. Pure. */
uint32_t ct_subid_find(const char *text);
/* The lines "lxc.idmap = u 0 100000 65536" of a configuration; subuid, subgid: the texts of those files, whose
 * entries for root must cover what is asked for. Ranges may not overlap, neither side; both kinds must have an
 * id 0 inside. Pure. 1: there are such lines; 0: none, and *ret is as before. */
int ct_idmap_parse(const struct guest_config *config, const char *subuid, const char *subgid,
		   struct ct_idmap *ret, struct err *err);
/* For this configuration, from the node's files. */
int ct_idmap_read(const struct guest_config *config, struct ct_idmap *ret, struct err *err);
/* The host's id of one inside; false: it has none. */
bool ct_idmap_host(const struct ct_id_range *ranges, unsigned count, uint32_t inside,
		   uint32_t *ret);
