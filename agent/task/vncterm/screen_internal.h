/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of a screen share. */
#pragma once

#include <vterm.h>

#include "agent/task/vncterm/history.h"
#include "agent/task/vncterm/screen.h"

struct screen {
	VTerm *vt;
	VTermScreen *vs;
	unsigned cols, rows;
	struct history history;
	unsigned scrolled; /* lines that the view is above the newest; at most history.count */
	bool is_changed, has_rung;

	/* as the program wants them */
	bool has_cursor, is_alternate, wants_mouse;
	enum cursor_shape shape;

	unsigned modifiers; /* key_modifier bits that are down */
	unsigned buttons;
	struct buf typed, clip;
	unsigned beyond; /* bytes that control characters took while `typed` was full */
};

/* positive: towards older lines */
void screen_scroll(struct screen *s, int lines);
