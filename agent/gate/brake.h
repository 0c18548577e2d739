/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The brake on guessing: how many refused credentials are being held back, in all and per address. A
 * place is taken for its whole time, also when its client leaves early: leaving must not be a way
 * to ask faster. Addresses are those of agent/base/address.h: keys. Pure. */
#pragma once

#include <stdbool.h>

#include "agent/base/address.h"
#include "agent/base/clock.h"

#define BRAKE_MAX	  800 /* a hundred addresses at their worst */
#define BRAKE_PER_ADDRESS 8

struct brake;

struct brake *brake_new(void);
void brake_free(struct brake *brake);
/* true: hold this refusal until `until`. false: too many are held, answer 429 at once. */
bool brake_enter(struct brake *brake, const char *address, usec_t now, usec_t until);
/* All places of this address are taken. What the others take does not count: nobody can lock others out. */
bool brake_is_full(const struct brake *brake, const char *address, usec_t now);
