/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hands out free guest ids. An id given to one asker is not given to another for NEXTID_LEASE,
 * so that parallel creates do not collide. */
#pragma once

#include "agent/base/clock.h"
#include "agent/core/guests.h"

#define NEXTID_MIN   100u
#define NEXTID_MAX   999999999u
#define NEXTID_LEASE (60 * USEC_PER_SEC)

struct nextid;

struct nextid *nextid_new(void);
void nextid_free(struct nextid *n);
/* The lowest id that is neither a guest nor leased; leases it until now + NEXTID_LEASE. 0: none left. */
unsigned nextid_take(struct nextid *n, const struct guests *guests, usec_t now);
