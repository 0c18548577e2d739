/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The brake on guessing: how many refused credentials are being held back, in all and per address. A
 * place is taken for its whole time, also when its client leaves early: leaving must not be a way
 * to ask faster. Pure. */
#pragma once

#include <stdbool.h>

#include "agent/base/clock.h"

#define BRAKE_MAX	  100
#define BRAKE_PER_ADDRESS 8
#define BRAKE_ADDRESS_MAX 64

struct brake;

struct brake *brake_new(void);
void brake_free(struct brake *brake);
/* true: hold this refusal until `until`. false: too many are held, answer 429 at once. */
bool brake_enter(struct brake *brake, const char *address, usec_t now, usec_t until);
