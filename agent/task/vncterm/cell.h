/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be seen of a terminal: its cells with their colours, and its cursor. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CELL_CHARS    3 /* a character and what combines with it */
#define GRID_COLS_MIN 2u
#define GRID_COLS_MAX 512u /* of 4096 pixels */
#define GRID_ROWS_MAX 135u /* of 2160 pixels */

enum cell_style {
	CELL_BOLD = 1u,
	CELL_ITALIC = 2u,
	CELL_UNDERLINE = 4u,
	CELL_UNDERLINE_DOUBLE = 8u,
	CELL_STRIKE = 16u,
};

struct cell {
	uint32_t chars[CELL_CHARS]; /* Unicode; 0: nothing more */
	uint32_t fg, bg;	    /* 0xRRGGBB, reverse is done */
	uint16_t style;
	uint8_t width;	  /* 0: the right half of the one before; 1; 2 */
	uint8_t reserved; /* 0: cells are compared as bytes */
};

enum cursor_shape { CURSOR_HIDDEN, CURSOR_BLOCK, CURSOR_UNDERLINE, CURSOR_BAR };

struct cursor_place {
	enum cursor_shape shape;
	unsigned col, row; /* inside the grid unless hidden */
};

struct grid {
	unsigned cols, rows;
	struct cell *cells; /* row by row; owned */
	struct cursor_place at;
};

#define GRID_INIT ((struct grid){0})

/* Keeps nothing of what was in it. */
void grid_resize(struct grid *grid, unsigned cols, unsigned rows);
void grid_fini(struct grid *grid);

static inline struct cell *grid_cell(const struct grid *grid, unsigned col, unsigned row)
{
	return &grid->cells[(size_t)row * grid->cols + col];
}
