/* SPDX-License-Identifier: GPL-2.0-or-later */
/* X keysyms, as viewers send them, to what a terminal knows. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The character that a keysym types, 0 if none: Latin-1, Unicode, and the encodings from before it. */
uint32_t keysym_character(uint32_t keysym);

enum key_kind { KEY_NONE, KEY_CHARACTER, KEY_FUNCTION, KEY_MODIFIER };

enum key_modifier {
	KEY_SHIFT_LEFT = 1u,
	KEY_SHIFT_RIGHT = 2u,
	KEY_CONTROL_LEFT = 4u,
	KEY_CONTROL_RIGHT = 8u,
	KEY_ALT_LEFT = 16u,
	KEY_ALT_RIGHT = 32u, /* and Meta */
	KEY_SHIFT = KEY_SHIFT_LEFT | KEY_SHIFT_RIGHT,
	KEY_CONTROL = KEY_CONTROL_LEFT | KEY_CONTROL_RIGHT,
	KEY_ALT = KEY_ALT_LEFT | KEY_ALT_RIGHT,
};

struct key {
	enum key_kind kind;
	uint32_t code; /* CHARACTER: Unicode; FUNCTION: VTermKey; MODIFIER: its key_modifier bit */
};

struct key key_of(uint32_t keysym);
/* The control character of Ctrl and a character, as terminals have always had them: Ctrl-A to Ctrl-Z, Ctrl-Space
 * and Ctrl-@ (NUL), Ctrl-2 to Ctrl-8, Ctrl-/ and so on. False: Ctrl means nothing with it. */
bool key_control(uint32_t c, uint8_t *ret);
