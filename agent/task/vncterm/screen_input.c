/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Input: keys, the pointer and the clipboard, to bytes for the guest. */
#include <string.h>

#include "agent/base/mem.h"
#include "agent/task/vncterm/keys.h"
#include "agent/task/vncterm/screen_internal.h"

#define WHEEL_LINES 3
#define BUTTONS	    5u
#define WHEEL	    3u /* the first button of it */

#define KEY_ROOM 32u /* what one key becomes at most */
#define CONTROL_ROOM                                                                               \
	256u /* behind what is full: for a program that does not read to be told to stop */

struct buf *screen_typed(struct screen *s)
{
	return &s->typed;
}

static VTermModifier modifiers_of(const struct screen *s)
{
	unsigned is = VTERM_MOD_NONE;

	is |= s->modifiers & KEY_SHIFT ? VTERM_MOD_SHIFT : 0;
	is |= s->modifiers & KEY_CONTROL ? VTERM_MOD_CTRL : 0;
	is |= s->modifiers & KEY_ALT ? VTERM_MOD_ALT : 0;
	return (VTermModifier)is;
}

/* -- the clipboard -------------------------------------------------------------------------------- */

/* Nothing of it may be a command to the terminal or end the brackets around it. */
static char cleaned(char c, char before)
{
	if (c == '\n')
		return before == '\r' ? '\0' : '\r';
	if (c == '\t' || c == '\r')
		return c;
	return (unsigned char)c < 0x20 || c == 0x7f ? '\0' : c;
}

void screen_clip(struct screen *s, const char *text, size_t size)
{
	buf_fini(&s->clip);
	for (size_t i = 0; i < size && i < SCREEN_CLIP_MAX; i++) {
		char c = cleaned(text[i], i ? text[i - 1] : '\0');

		if (c)
			buf_add_char(&s->clip, c);
	}
}

/* Not while the guest does not read: it comes whole or not at all. */
static void paste(struct screen *s)
{
	if (s->clip.size == 0 || s->typed.size >= SCREEN_TYPED_MAX / 2)
		return;
	struct buf before = s->typed;

	/* the brackets, if the program asked for them, come from the library, by way of on_output() */
	s->typed = BUF_INIT;
	vterm_keyboard_start_paste(s->vt);
	buf_add(&before, s->typed.data, s->typed.size);
	buf_add(&before, s->clip.data, s->clip.size);
	buf_clear(&s->typed);
	vterm_keyboard_end_paste(s->vt);
	buf_add(&before, s->typed.data, s->typed.size);
	buf_fini(&s->typed);
	s->typed = before;
}

/* -- keys ----------------------------------------------------------------------------------------- */

static bool has_room(const struct screen *s)
{
	return s->typed.size + KEY_ROOM <= SCREEN_TYPED_MAX;
}

/* Not by the library: for some of them it has sequences of its own, which hardly any program knows. */
static void type_control(struct screen *s, uint8_t control, bool with_alt)
{
	s->beyond = has_room(s) ? 0 : s->beyond + 2;
	if (s->beyond > CONTROL_ROOM) {
		s->beyond = CONTROL_ROOM;
		return;
	}
	if (with_alt)
		buf_add_char(&s->typed, '\033');
	buf_add_char(&s->typed, (char)control);
}

static void type(struct screen *s, const struct key *key)
{
	uint8_t control;
	VTermModifier modifiers = modifiers_of(s);

	if (key->kind == KEY_CHARACTER && s->modifiers & KEY_CONTROL &&
	    key_control(key->code, &control))
		type_control(s, control, modifiers & VTERM_MOD_ALT);
	else if (!has_room(s))
		return;
	else if (key->kind == KEY_CHARACTER)
		vterm_keyboard_unichar(s->vt, key->code, modifiers & VTERM_MOD_ALT);
	else
		vterm_keyboard_key(s->vt, (VTermKey)key->code, modifiers);
}

/* Keys that are the viewer's own. */
static bool is_for_view(struct screen *s, const struct key *key)
{
	int page = s->rows > 1 ? (int)s->rows - 1 : 1;

	if (key->kind != KEY_FUNCTION || modifiers_of(s) != VTERM_MOD_SHIFT)
		return false;
	switch (key->code) {
	case VTERM_KEY_PAGEUP:
		screen_scroll(s, page);
		return true;
	case VTERM_KEY_PAGEDOWN:
		screen_scroll(s, -page);
		return true;
	case VTERM_KEY_INS:
		screen_scroll(s, -(int)s->scrolled);
		paste(s);
		return true;
	default:
		return false;
	}
}

static void press(struct screen *s, const struct key *key)
{
	if (key->kind == KEY_NONE || is_for_view(s, key))
		return;
	screen_scroll(s, -(int)s->scrolled);
	type(s, key);
}

void screen_key(struct screen *s, uint32_t keysym, bool is_down)
{
	const struct key key = key_of(keysym);

	if (key.kind == KEY_MODIFIER)
		s->modifiers = is_down ? s->modifiers | key.code : s->modifiers & ~key.code;
	else if (is_down)
		press(s, &key);
}

void screen_release_keys(struct screen *s)
{
	s->modifiers = 0;
}

/* -- the pointer ---------------------------------------------------------------------------------- */

/* A program that shows a screen of its own, but knows no mouse, gets arrow keys. */
static void turn_wheel(struct screen *s, bool up)
{
	if (!s->is_alternate) {
		screen_scroll(s, up ? WHEEL_LINES : -WHEEL_LINES);
		return;
	}
	for (int i = 0; i < WHEEL_LINES; i++)
		vterm_keyboard_key(s->vt, up ? VTERM_KEY_UP : VTERM_KEY_DOWN, VTERM_MOD_NONE);
}

static void press_for_view(struct screen *s, unsigned pressed)
{
	if (pressed & 2u)
		paste(s);
	if (pressed & 8u)
		turn_wheel(s, true);
	if (pressed & 16u)
		turn_wheel(s, false);
}

void screen_pointer(struct screen *s, unsigned col, unsigned row, unsigned buttons)
{
	unsigned changed = (buttons ^ s->buttons) & ((1u << BUTTONS) - 1);
	VTermModifier modifiers = modifiers_of(s);

	s->buttons = buttons;
	if (!s->wants_mouse || s->modifiers & KEY_SHIFT) {
		press_for_view(s, changed & buttons);
		return;
	}
	vterm_mouse_move(s->vt, (int)(row < s->rows ? row : s->rows - 1),
			 (int)(col < s->cols ? col : s->cols - 1), modifiers);
	for (unsigned i = 0; i < BUTTONS; i++)
		if (changed >> i & 1 &&
		    (i < WHEEL || buttons >> i & 1)) /* a wheel is never released */
			vterm_mouse_button(s->vt, (int)i + 1, buttons >> i & 1, modifiers);
}
