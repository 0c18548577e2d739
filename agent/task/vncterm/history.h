/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines that left a terminal's screen at its top, the oldest forgotten first. Pure. */
#pragma once

#include "agent/task/vncterm/cell.h"

#define HISTORY_LINES 1000u

struct history {
	struct {
		struct cell *cells; /* owned; blanks at the end are not kept */
		unsigned cols;
	} lines[HISTORY_LINES];
	unsigned first, count;
};

void history_clear(struct history *h);
/* blank: what history_get() fills with. */
void history_push(struct history *h, const struct cell *blank, const struct cell *cells,
		  unsigned cols);
/* at: 0 is the oldest, below count. Fills cols cells, with `blank` where there is nothing. */
void history_get(const struct history *h, unsigned at, const struct cell *blank, struct cell *ret,
		 unsigned cols);
