/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts the guests of this node that have "onboot: 1", once per boot of the host, one after the other
 * in the order of "startup: order=…", then of ids. */
#pragma once

#include "agent/core/core.h"

struct onboot;

struct onboot *onboot_new(struct core *core);
void onboot_free(struct onboot *onboot);
/* The guests' network is up. Guests that were started already in this boot are left alone. */
void onboot_begin(struct onboot *onboot);

/* Pure: what "startup" says. order ORDER_NONE: none; up: seconds before the next one; down: seconds that it has to
 * shut down, DOWN_NONE: nothing is said. */
#define ONBOOT_ORDER_NONE UINT64_MAX
#define ONBOOT_DOWN_NONE  UINT64_MAX
struct onboot_startup {
	uint64_t order, up, down;
};
void onboot_startup_parse(const char *text, struct onboot_startup *ret);
