/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says of a guest that was looked at earlier whether it is still the same one, and not another one that got its id
 * after it was destroyed. Core's loop only. */
#pragma once

#include <stdbool.h>

#include "agent/core/guests.h"

#define GUEST_MARK_MAX 48

void guest_mark(const struct guest *guest, char ret[GUEST_MARK_MAX]);
/* After a restart of the core one whose configuration has changed since may be another one: false. */
bool guest_mark_is_of(const struct guest *guest, const char *mark);
