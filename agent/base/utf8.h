/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread's character set while foreign names are read: those in pax headers are UTF-8, and in the C locale libarchive
 * would drop what is beyond ASCII. */
#pragma once

#include <locale.h>

struct utf8_scope {
	locale_t before, utf8;
};

struct utf8_scope utf8_enter(void);
void utf8_leave(struct utf8_scope *scope);

#define autoutf8 __attribute__((cleanup(utf8_leave))) struct utf8_scope
