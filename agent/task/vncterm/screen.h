/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A terminal as libvterm keeps it: what the guest prints goes in, cells come out; keys, the pointer and pasted text
 * go in, bytes for the guest come out. No input and output of its own; whoever has it locks it. Fuzzed.
 *
 * Shift with PageUp and PageDown shows the last HISTORY_LINES lines, as does the wheel; any other key returns. The
 * viewer's clipboard is kept until Shift+Insert or the middle button types it: viewers send it whenever it changes,
 * so it must never be typed by itself. */
#pragma once

#include "agent/base/buf.h"
#include "agent/task/vncterm/cell.h"

/* Bytes that wait for the guest. Then keys are lost, but for a few control characters. */
#define SCREEN_TYPED_MAX (64u * 1024)
#define SCREEN_CLIP_MAX	 (1024u * 1024) /* may come on top of them */

struct screen;

/* Sizes are brought within GRID_COLS_MIN, GRID_COLS_MAX, 1 and GRID_ROWS_MAX, here and when resizing. */
struct screen *screen_new(unsigned cols, unsigned rows);
void screen_free(struct screen *s);
void screen_resize(struct screen *s, unsigned cols, unsigned rows);
void screen_size(const struct screen *s, unsigned *ret_cols, unsigned *ret_rows);

void screen_feed(struct screen *s, const void *data, size_t size);
/* False, and nothing happens: it looks as it did at the last call. Any grid is resized as needed. */
bool screen_take(struct screen *s, struct grid *ret);
bool screen_take_bell(struct screen *s); /* once for each time that it rang */

void screen_key(struct screen *s, uint32_t keysym, bool is_down);
void screen_release_keys(struct screen *s); /* all modifiers */
void screen_clip(struct screen *s, const char *text,
		 size_t size); /* UTF-8; what is too long is cut off */
/* buttons: bits from the left one on; 3 and 4 are the wheel, up and down. */
void screen_pointer(struct screen *s, unsigned col, unsigned row, unsigned buttons);
/* What the guest must read: keys, and answers to its own questions as long as there is room. The caller drops what
 * it has written. */
struct buf *screen_typed(struct screen *s);
