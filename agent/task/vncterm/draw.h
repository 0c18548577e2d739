/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Draws a terminal's cells as pixels. Pure. */
#pragma once

#include "agent/task/vncterm/cell.h"
#include "agent/task/vncterm/font.h"

struct canvas {
	uint32_t *pixels; /* row by row */
	unsigned width, height;
	unsigned red, green, blue; /* places of the colours' bytes in a pixel: shifts */
};

/* Draws what differs between the two grids, or all of `now` if they are not of one size; tells each rectangle of
 * pixels that was drawn, at most one a row of cells. What does not fit the canvas is cut off. */
void draw_changes(const struct canvas *canvas, const struct font *font, const struct grid *before,
		  const struct grid *now,
		  void (*drawn)(unsigned x, unsigned y, unsigned width, unsigned height, void *ctx),
		  void *ctx);
