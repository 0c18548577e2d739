/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growable byte buffer. Allocation failure aborts (callers bound sizes that come from input). */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data; /* NUL-terminated whenever size > 0 or after buf_str(); owned */
	size_t size;
	size_t capacity;
};

#define BUF_INIT ((struct buf){0})

void buf_fini(struct buf *buf);
void buf_clear(struct buf *buf); /* size = 0, keeps the memory */
void buf_reserve(struct buf *buf, size_t extra);
void buf_add(struct buf *buf, const void *data, size_t size);
void buf_add_str(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *buf, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* The content as a C string ("" when empty); borrowed until the next change. */
const char *buf_str(struct buf *buf);
/* Gives the NUL-terminated memory to the caller, who frees it; the buffer is empty afterwards. */
char *buf_steal(struct buf *buf);
void buf_drop_front(struct buf *buf, size_t size); /* removes the first bytes */

/* little-endian integers, for encoders */
void buf_add_u8(struct buf *buf, uint8_t v);
void buf_add_u16(struct buf *buf, uint16_t v);
void buf_add_u32(struct buf *buf, uint32_t v);
void buf_add_u64(struct buf *buf, uint64_t v);
/* u16 length and the bytes; the text is shorter than 64 KiB. cursor_text() reads it. */
void buf_add_text(struct buf *buf, const char *text);

static inline void buf_finip(struct buf *buf)
{
	buf_fini(buf);
}
#define autobuf __attribute__((cleanup(buf_finip))) struct buf
