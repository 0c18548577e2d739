/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ring of lines. */
#include "agent/task/vncterm/history.h"

#include <string.h>

#include "agent/base/mem.h"

void history_clear(struct history *h)
{
	for (unsigned i = 0; i < HISTORY_LINES; i++)
		free(TAKE(h->lines[i].cells));
	h->first = h->count = 0;
}

/* Of any foreground. The right half of a wide character is none, though nothing is in it. */
static bool is_blank(const struct cell *cell, const struct cell *blank)
{
	return cell->chars[0] == 0 && cell->width == 1 && cell->style == 0 && cell->bg == blank->bg;
}

void history_push(struct history *h, const struct cell *blank, const struct cell *cells,
		  unsigned cols)
{
	unsigned at = (h->first + h->count) % HISTORY_LINES;

	while (cols > 0 && is_blank(&cells[cols - 1], blank))
		cols--;
	if (h->count == HISTORY_LINES)
		h->first = (h->first + 1) % HISTORY_LINES;
	else
		h->count++;
	free(h->lines[at].cells);
	h->lines[at].cells = cols ? xmemdup(cells, cols * sizeof(*cells)) : NULL;
	h->lines[at].cols = cols;
}

void history_get(const struct history *h, unsigned at, const struct cell *blank, struct cell *ret,
		 unsigned cols)
{
	unsigned slot = (h->first + at) % HISTORY_LINES, here = h->lines[slot].cols;

	if (here > cols)
		here = cols;
	if (here > 0)
		memcpy(ret, h->lines[slot].cells, here * sizeof(*ret));
	for (unsigned i = here; i < cols; i++)
		ret[i] = *blank;
	if (here == cols && ret[cols - 1].width == 2)
		ret[cols - 1] = *blank; /* its right half was cut off */
}
