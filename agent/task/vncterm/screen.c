/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output: from the guest's bytes to cells. */
#include "agent/task/vncterm/screen.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/task/vncterm/screen_internal.h"

#define DEFAULT_FG 0xd0d0d0u
#define DEFAULT_BG 0x000000u

#define HAS_VTERM(minor) (VTERM_VERSION_MAJOR > 0 || VTERM_VERSION_MINOR >= (minor))

static const struct cell blank = {.fg = DEFAULT_FG, .bg = DEFAULT_BG, .width = 1};

/* -- one cell ------------------------------------------------------------------------------------- */

static VTermColor color_of(uint32_t rgb)
{
	VTermColor color;

	vterm_color_rgb(&color, (uint8_t)(rgb >> 16), (uint8_t)(rgb >> 8), (uint8_t)rgb);
	return color;
}

static uint32_t rgb_of(const struct screen *s, VTermColor color)
{
	vterm_screen_convert_color_to_rgb(s->vs, &color);
	return (uint32_t)color.rgb.red << 16 | (uint32_t)color.rgb.green << 8 | color.rgb.blue;
}

static uint16_t style_of(const VTermScreenCellAttrs *attrs)
{
	unsigned style = 0;

	style |= attrs->bold ? CELL_BOLD : 0;
	style |= attrs->italic ? CELL_ITALIC : 0;
	style |= attrs->strike ? CELL_STRIKE : 0;
	if (attrs->underline)
		style |= attrs->underline == VTERM_UNDERLINE_DOUBLE ? CELL_UNDERLINE_DOUBLE
								    : CELL_UNDERLINE;
	return (uint16_t)style;
}

static bool is_hidden(const VTermScreenCell *from)
{
#if HAS_VTERM(3)
	if (from->attrs.conceal)
		return true;
#endif
	return from->chars[0] < 0x20;
}

static void convert(const struct screen *s, const VTermScreenCell *from, struct cell *ret)
{
	uint32_t fg = rgb_of(s, from->fg), bg = rgb_of(s, from->bg);

	*ret = (struct cell){.fg = from->attrs.reverse ? bg : fg,
			     .bg = from->attrs.reverse ? fg : bg,
			     .style = style_of(&from->attrs),
			     .width = from->width == 2 ? 2 : 1};
	if (from->chars[0] == (uint32_t)-1) {
		ret->width = 0;
		return;
	}
	for (unsigned i = 0; !is_hidden(from) && i < CELL_CHARS && from->chars[i]; i++)
		ret->chars[i] = from->chars[i];
}

/* Every wide character has its right half behind it, and no half is alone: whatever the library says. */
static void settle(struct cell *cells, unsigned cols)
{
	for (unsigned i = 0; i < cols; i++) {
		bool has_half = i + 1 < cols && cells[i + 1].width == 0;

		if (cells[i].width == 2 && has_half) {
			i++;
			continue;
		}
		cells[i].width = 1;
	}
}

/* -- what the library tells ----------------------------------------------------------------------- */

static int on_damage(VTermRect rect, void *ctx)
{
	struct screen *s = ctx;

	(void)rect;
	s->is_changed = true;
	return 1;
}

static int on_cursor(VTermPos now, VTermPos before, int is_visible, void *ctx)
{
	struct screen *s = ctx;

	(void)now;
	(void)before;
	(void)is_visible;
	s->is_changed = true;
	return 1;
}

static enum cursor_shape shape_of(int number)
{
	if (number == VTERM_PROP_CURSORSHAPE_UNDERLINE)
		return CURSOR_UNDERLINE;
	return number == VTERM_PROP_CURSORSHAPE_BAR_LEFT ? CURSOR_BAR : CURSOR_BLOCK;
}

static int on_property(VTermProp property, VTermValue *value, void *ctx)
{
	struct screen *s = ctx;

	if (property == VTERM_PROP_CURSORVISIBLE)
		s->has_cursor = value->boolean;
	else if (property == VTERM_PROP_CURSORSHAPE)
		s->shape = shape_of(value->number);
	else if (property == VTERM_PROP_ALTSCREEN)
		s->is_alternate = value->boolean;
	else if (property == VTERM_PROP_MOUSE)
		s->wants_mouse = value->number != VTERM_PROP_MOUSE_NONE;
	s->is_changed = true;
	return 1;
}

static int on_bell(void *ctx)
{
	((struct screen *)ctx)->has_rung = true;
	return 1;
}

/* A view of older lines stays where it is. */
static int on_line_gone(int cols, const VTermScreenCell *cells, void *ctx)
{
	struct screen *s = ctx;
	struct cell line[GRID_COLS_MAX];

	if (cols <= 0 || cols > (int)GRID_COLS_MAX)
		return 0;
	for (int i = 0; i < cols; i++)
		convert(s, &cells[i], &line[i]);
	settle(line, (unsigned)cols);
	history_push(&s->history, &blank, line, (unsigned)cols);
	if (s->scrolled > 0 && s->scrolled < s->history.count)
		s->scrolled++;
	return 1;
}

#if HAS_VTERM(3)
static int on_history_cleared(void *ctx)
{
	struct screen *s = ctx;

	history_clear(&s->history);
	s->scrolled = 0;
	s->is_changed = true;
	return 1;
}
#endif

/* A guest that asks and asks, but does not read, gets no more answers. */
static void on_output(const char *data, size_t size, void *ctx)
{
	struct screen *s = ctx;

	if (s->typed.size + size <= SCREEN_TYPED_MAX)
		buf_add(&s->typed, data, size);
}

static const VTermScreenCallbacks callbacks = {
	.damage = on_damage,
	.movecursor = on_cursor,
	.settermprop = on_property,
	.bell = on_bell,
	.sb_pushline = on_line_gone,
#if HAS_VTERM(3)
	.sb_clear = on_history_cleared,
#endif
};

/* -- life ----------------------------------------------------------------------------------------- */

static unsigned within(unsigned value, unsigned min, unsigned max)
{
	return value < min ? min : value > max ? max : value;
}

struct screen *screen_new(unsigned cols, unsigned rows)
{
	struct screen *s = xcalloc(1, sizeof(*s));
	const VTermColor fg = color_of(DEFAULT_FG), bg = color_of(DEFAULT_BG);

	s->cols = within(cols, GRID_COLS_MIN, GRID_COLS_MAX);
	s->rows = within(rows, 1, GRID_ROWS_MAX);
	s->shape = CURSOR_BLOCK;
	s->vt = vterm_new((int)s->rows, (int)s->cols);
	if (!s->vt)
		abort(); /* as every small allocation */
	vterm_set_utf8(s->vt, 1);
	vterm_output_set_callback(s->vt, on_output, s);
	vterm_state_set_default_colors(vterm_obtain_state(s->vt), &fg, &bg);
	vterm_state_set_bold_highbright(vterm_obtain_state(s->vt), 1);
	s->vs = vterm_obtain_screen(s->vt);
	vterm_screen_set_callbacks(s->vs, &callbacks, s);
	vterm_screen_enable_altscreen(s->vs, 1);
	vterm_screen_set_damage_merge(s->vs, VTERM_DAMAGE_SCREEN);
	vterm_screen_reset(s->vs, 1);
	s->is_changed = true;
	return s;
}

void screen_free(struct screen *s)
{
	if (!s)
		return;
	vterm_free(s->vt);
	history_clear(&s->history);
	buf_fini(&s->typed);
	buf_fini(&s->clip);
	free(s);
}

void screen_resize(struct screen *s, unsigned cols, unsigned rows)
{
	s->cols = within(cols, GRID_COLS_MIN, GRID_COLS_MAX);
	s->rows = within(rows, 1, GRID_ROWS_MAX);
	vterm_set_size(s->vt, (int)s->rows, (int)s->cols);
	vterm_screen_flush_damage(s->vs);
	s->is_changed = true;
}

void screen_size(const struct screen *s, unsigned *ret_cols, unsigned *ret_rows)
{
	*ret_cols = s->cols;
	*ret_rows = s->rows;
}

void screen_feed(struct screen *s, const void *data, size_t size)
{
	vterm_input_write(s->vt, data, size);
	vterm_screen_flush_damage(s->vs);
}

/* -- the view ------------------------------------------------------------------------------------- */

void screen_scroll(struct screen *s, int lines)
{
	int now = (int)s->scrolled + lines, max = s->is_alternate ? 0 : (int)s->history.count;

	now = now < 0 ? 0 : now > max ? max : now;
	s->is_changed |= now != (int)s->scrolled;
	s->scrolled = (unsigned)now;
}

static void take_row(const struct screen *s, unsigned row, struct cell *ret)
{
	for (unsigned col = 0; col < s->cols; col++) {
		VTermScreenCell cell;
		const VTermPos at = {.row = (int)row, .col = (int)col};

		if (vterm_screen_get_cell(s->vs, at, &cell))
			convert(s, &cell, &ret[col]);
		else
			ret[col] = blank;
	}
	settle(ret, s->cols);
}

static struct cursor_place cursor_of(const struct screen *s)
{
	VTermPos at;

	vterm_state_get_cursorpos(vterm_obtain_state(s->vt), &at);
	if (!s->has_cursor || at.row < 0 || at.col < 0 || (unsigned)at.row + s->scrolled >= s->rows)
		return (struct cursor_place){.shape = CURSOR_HIDDEN};
	return (struct cursor_place){.shape = s->shape,
				     .col = within((unsigned)at.col, 0, s->cols - 1),
				     .row = (unsigned)at.row + s->scrolled};
}

bool screen_take(struct screen *s, struct grid *ret)
{
	if (!s->is_changed)
		return false;
	s->is_changed = false;
	if (ret->cols != s->cols || ret->rows != s->rows)
		grid_resize(ret, s->cols, s->rows);
	for (unsigned row = 0; row < s->rows; row++) {
		struct cell *cells = grid_cell(ret, 0, row);

		if (row < s->scrolled)
			history_get(&s->history, s->history.count - s->scrolled + row, &blank,
				    cells, s->cols);
		else
			take_row(s, row - s->scrolled, cells);
	}
	ret->at = cursor_of(s);
	return true;
}

bool screen_take_bell(struct screen *s)
{
	bool has_rung = s->has_rung;

	s->has_rung = false;
	return has_rung;
}
