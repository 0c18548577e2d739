/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys that are no characters. The key pad's digits are the digits' own: programs ask for its other meaning so
 * rarely that what NumLock says counts for more. */
#include "agent/task/vncterm/keys.h"

#include <string.h>
#include <vterm.h>

#include "agent/base/mem.h"

#define KEYSYM_F1  0xffbeu
#define KEYSYM_F35 0xffe0u
#define KEYSYM_KP0 0xffb0u
#define KEYSYM_KP9 0xffb9u

static const struct {
	uint16_t keysym;
	struct key key;
} table[] = {
	{0xff08, {KEY_FUNCTION, VTERM_KEY_BACKSPACE}},
	{0xff09, {KEY_FUNCTION, VTERM_KEY_TAB}},
	{0xfe20, {KEY_FUNCTION, VTERM_KEY_TAB}}, /* ISO_Left_Tab: Shift is down as well */
	{0xff0a, {KEY_FUNCTION, VTERM_KEY_ENTER}},
	{0xff0d, {KEY_FUNCTION, VTERM_KEY_ENTER}},
	{0xff1b, {KEY_FUNCTION, VTERM_KEY_ESCAPE}},
	{0xff50, {KEY_FUNCTION, VTERM_KEY_HOME}},
	{0xff51, {KEY_FUNCTION, VTERM_KEY_LEFT}},
	{0xff52, {KEY_FUNCTION, VTERM_KEY_UP}},
	{0xff53, {KEY_FUNCTION, VTERM_KEY_RIGHT}},
	{0xff54, {KEY_FUNCTION, VTERM_KEY_DOWN}},
	{0xff55, {KEY_FUNCTION, VTERM_KEY_PAGEUP}},
	{0xff56, {KEY_FUNCTION, VTERM_KEY_PAGEDOWN}},
	{0xff57, {KEY_FUNCTION, VTERM_KEY_END}},
	{0xff63, {KEY_FUNCTION, VTERM_KEY_INS}},
	{0xffff, {KEY_FUNCTION, VTERM_KEY_DEL}},
	/* the key pad without NumLock */
	{0xff8d, {KEY_FUNCTION, VTERM_KEY_ENTER}}, /* the library's own types a line feed */
	{0xff95, {KEY_FUNCTION, VTERM_KEY_HOME}},
	{0xff96, {KEY_FUNCTION, VTERM_KEY_LEFT}},
	{0xff97, {KEY_FUNCTION, VTERM_KEY_UP}},
	{0xff98, {KEY_FUNCTION, VTERM_KEY_RIGHT}},
	{0xff99, {KEY_FUNCTION, VTERM_KEY_DOWN}},
	{0xff9a, {KEY_FUNCTION, VTERM_KEY_PAGEUP}},
	{0xff9b, {KEY_FUNCTION, VTERM_KEY_PAGEDOWN}},
	{0xff9c, {KEY_FUNCTION, VTERM_KEY_END}},
	{0xff9e, {KEY_FUNCTION, VTERM_KEY_INS}},
	{0xff9f, {KEY_FUNCTION, VTERM_KEY_DEL}},
	/* and what it always has */
	{0xffaa, {KEY_FUNCTION, VTERM_KEY_KP_MULT}},
	{0xffab, {KEY_FUNCTION, VTERM_KEY_KP_PLUS}},
	{0xffac, {KEY_FUNCTION, VTERM_KEY_KP_COMMA}},
	{0xffad, {KEY_FUNCTION, VTERM_KEY_KP_MINUS}},
	{0xffae, {KEY_FUNCTION, VTERM_KEY_KP_PERIOD}},
	{0xffaf, {KEY_FUNCTION, VTERM_KEY_KP_DIVIDE}},
	{0xffbd, {KEY_FUNCTION, VTERM_KEY_KP_EQUAL}},
	{0xff80, {KEY_CHARACTER, ' '}},
	{0xffe1, {KEY_MODIFIER, KEY_SHIFT_LEFT}},
	{0xffe2, {KEY_MODIFIER, KEY_SHIFT_RIGHT}},
	{0xffe3, {KEY_MODIFIER, KEY_CONTROL_LEFT}},
	{0xffe4, {KEY_MODIFIER, KEY_CONTROL_RIGHT}},
	{0xffe7, {KEY_MODIFIER, KEY_ALT_LEFT}},
	{0xffe8, {KEY_MODIFIER, KEY_ALT_RIGHT}},
	{0xffe9, {KEY_MODIFIER, KEY_ALT_LEFT}},
	{0xffea, {KEY_MODIFIER, KEY_ALT_RIGHT}},
};

struct key key_of(uint32_t keysym)
{
	uint32_t c = keysym_character(keysym);

	if (c)
		return (struct key){KEY_CHARACTER, c};
	if (keysym >= KEYSYM_F1 && keysym <= KEYSYM_F35)
		return (struct key){KEY_FUNCTION, VTERM_KEY_FUNCTION(keysym - KEYSYM_F1 + 1)};
	if (keysym >= KEYSYM_KP0 && keysym <= KEYSYM_KP9)
		return (struct key){KEY_CHARACTER, '0' + (keysym - KEYSYM_KP0)};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].keysym == keysym)
			return table[i].key;
	return (struct key){KEY_NONE, 0};
}

bool key_control(uint32_t c, uint8_t *ret)
{
	static const char from[] = " 2345678/?", to[] = "\0\0\33\34\35\36\37\177\37\177";
	const char *at;

	if (c >= 0x40 && c < 0x7f) {
		*ret = (uint8_t)(c & 0x1f);
		return true;
	}
	if (c == 0 || c > 0x7f || !(at = strchr(from, (int)c)))
		return false;
	*ret = (uint8_t)to[at - from];
	return true;
}
