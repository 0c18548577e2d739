/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of keysyms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vterm.h>

#include "agent/base/mem.h"
#include "agent/task/vncterm/keys.h"

static void test_characters(void **state)
{
	static const struct {
		uint32_t keysym, character;
	} cases[] = {
		{' ', ' '},
		{'a', 'a'},
		{'~', '~'},
		{0xe4, 0xe4},
		{0x7f, 0},
		{0x85, 0},
		{0x1f, 0},
		{0, 0},
		{0x1a1, 0x104},
		{0x1ff, 0x2d9},
		{0x1a4, 0},
		{0x6c1, 0x430},
		{0x6d0, 0x43f},
		{0x7e1, 0x3b1},
		{0xce0, 0x5d0},
		{0xda1, 0xe01},
		{0x20ac, 0x20ac},
		{0x13bd, 0x153},
		{0x010020ac, 0x20ac},
		{0x01000041, 'A'},
		{0x0101f600, 0x1f600},
		{0x0110ffff, 0x10ffff},
		{0x01110000, 0},
		{0x01000000, 0},
		{0x0100d800, 0},
		{0x01000007, 0},
		{0xffff, 0},
		{0xffffffff, 0},
		{0xff0d, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (keysym_character(cases[i].keysym) != cases[i].character)
			fail_msg("keysym %x: %x, not %x", cases[i].keysym,
				 keysym_character(cases[i].keysym), cases[i].character);
}

static void test_keys(void **state)
{
	static const struct {
		uint32_t keysym;
		struct key key;
	} cases[] = {
		{0xff0d, {KEY_FUNCTION, VTERM_KEY_ENTER}},
		{0xff8d, {KEY_FUNCTION, VTERM_KEY_ENTER}},
		{0xff08, {KEY_FUNCTION, VTERM_KEY_BACKSPACE}},
		{0xffff, {KEY_FUNCTION, VTERM_KEY_DEL}},
		{0xfe20, {KEY_FUNCTION, VTERM_KEY_TAB}},
		{0xff52, {KEY_FUNCTION, VTERM_KEY_UP}},
		{0xff97, {KEY_FUNCTION, VTERM_KEY_UP}},
		{0xffbe, {KEY_FUNCTION, VTERM_KEY_FUNCTION(1)}},
		{0xffc9, {KEY_FUNCTION, VTERM_KEY_FUNCTION(12)}},
		{0xffe0, {KEY_FUNCTION, VTERM_KEY_FUNCTION(35)}},
		{0xffb0, {KEY_CHARACTER, '0'}},
		{0xffb9, {KEY_CHARACTER, '9'}},
		{0xff80, {KEY_CHARACTER, ' '}},
		{0xffe1, {KEY_MODIFIER, KEY_SHIFT_LEFT}},
		{0xffe4, {KEY_MODIFIER, KEY_CONTROL_RIGHT}},
		{0xffe9, {KEY_MODIFIER, KEY_ALT_LEFT}},
		{0xfe03, {KEY_NONE, 0}}, /* AltGr has done its work in the viewer */
		{0xff7f, {KEY_NONE, 0}}, /* NumLock, too */
		{0xffeb, {KEY_NONE, 0}},
		{'q', {KEY_CHARACTER, 'q'}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct key key = key_of(cases[i].keysym);

		if (key.kind != cases[i].key.kind || key.code != cases[i].key.code)
			fail_msg("keysym %x: %d %x", cases[i].keysym, key.kind, key.code);
	}
}

static void test_control(void **state)
{
	static const struct {
		uint32_t c;
		int control; /* -1: none */
	} cases[] = {
		{'a', 1},  {'A', 1},  {'z', 26}, {'m', 13},  {'i', 9},	  {'[', 27}, {'@', 0},
		{' ', 0},  {'2', 0},  {'3', 27}, {'7', 31},  {'8', 127},  {'/', 31}, {'?', 127},
		{'1', -1}, {'9', -1}, {'-', -1}, {0xe4, -1}, {0x430, -1}, {0, -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t control = 0xee;
		int got = key_control(cases[i].c, &control) ? control : -1;

		if (got != cases[i].control)
			fail_msg("control of %x: %d", cases[i].c, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_control),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
