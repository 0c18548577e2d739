/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many refused credentials are being held back, in all and per address. Pure. */
#pragma once

#include <stdbool.h>

#define BRAKE_MAX	  100
#define BRAKE_PER_ADDRESS 8

struct brake;

struct brake *brake_new(void);
void brake_free(struct brake *brake);
/* true: one more from this address is held; brake_leave() follows. false: answer 429 at once. */
bool brake_enter(struct brake *brake, const char *address);
void brake_leave(struct brake *brake, const char *address);
