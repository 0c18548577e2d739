/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bounded read cursor over untrusted bytes, the counterpart of buf_add_u*. After the first
 * read past the end every further read yields 0/NULL and `failed` stays set: check it once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

struct cursor cursor_on(const void *data, size_t size);
size_t cursor_left(const struct cursor *c);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
/* size bytes, borrowed from the input; NULL on failure. */
const void *cursor_bytes(struct cursor *c, size_t size);
/* What buf_add_text() wrote: into size bytes, with a NUL. A text that does not fit, or that holds a NUL, is a
 * failure; ret is "" then. */
void cursor_text(struct cursor *c, char *ret, size_t size);
