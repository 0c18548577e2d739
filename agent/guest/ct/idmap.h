/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which range of host ids unprivileged containers use: root's line in /etc/subuid and /etc/subgid. */
#pragma once

#include <stdint.h>

#include "agent/base/err.h"

#define CT_IDMAP_COUNT 65536u

struct ct_idmap {
	uint32_t uid, gid; /* first host id of the range */
};

/* The first range of at least CT_IDMAP_COUNT ids that text gives to root; 0: none. Pure. */
uint32_t ct_subid_find(const char *text);
int ct_idmap_read(struct ct_idmap *ret, struct err *err);
