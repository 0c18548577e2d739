/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growable byte buffer. */
#include "agent/base/buf.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"

void buf_fini(struct buf *buf)
{
	free(buf->data);
	*buf = BUF_INIT;
}

void buf_clear(struct buf *buf)
{
	buf->size = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

/* always room for one NUL more */
void buf_reserve(struct buf *buf, size_t extra)
{
	size_t need, capacity = buf->capacity ? buf->capacity : 64;

	if (__builtin_add_overflow(buf->size, extra, &need) || need > SIZE_MAX / 4)
		abort();
	if (need < buf->capacity)
		return;
	while (capacity <= need)
		capacity *= 2;
	buf->data = xrealloc(buf->data, capacity, 1);
	buf->capacity = capacity;
}

void buf_add(struct buf *buf, const void *data, size_t size)
{
	buf_reserve(buf, size);
	if (size)
		memcpy(buf->data + buf->size, data, size);
	buf->size += size;
	buf->data[buf->size] = '\0';
}

void buf_add_str(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_vaddf(struct buf *buf, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		abort();
	buf_reserve(buf, (size_t)n);
	vsnprintf(buf->data + buf->size, (size_t)n + 1, fmt, ap);
	buf->size += (size_t)n;
}

void buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(buf, fmt, ap);
	va_end(ap);
}

const char *buf_str(struct buf *buf)
{
	if (!buf->data)
		return "";
	buf->data[buf->size] = '\0';
	return buf->data;
}

char *buf_steal(struct buf *buf)
{
	char *data;

	buf_reserve(buf, 0);
	data = buf->data;
	data[buf->size] = '\0';
	*buf = BUF_INIT;
	return data;
}

void buf_drop_front(struct buf *buf, size_t size)
{
	if (size > buf->size)
		size = buf->size;
	if (size == 0)
		return;
	memmove(buf->data, buf->data + size, buf->size - size);
	buf->size -= size;
	buf->data[buf->size] = '\0';
}

static void add_le(struct buf *buf, uint64_t v, unsigned bytes)
{
	uint8_t out[8];

	for (unsigned i = 0; i < bytes; i++, v >>= 8)
		out[i] = (uint8_t)v;
	buf_add(buf, out, bytes);
}

void buf_add_u8(struct buf *buf, uint8_t v)
{
	buf_add(buf, &v, 1);
}

void buf_add_u16(struct buf *buf, uint16_t v)
{
	add_le(buf, v, 2);
}

void buf_add_u32(struct buf *buf, uint32_t v)
{
	add_le(buf, v, 4);
}

void buf_add_u64(struct buf *buf, uint64_t v)
{
	add_le(buf, v, 8);
}

void buf_add_text(struct buf *buf, const char *text)
{
	size_t n = strlen(text);

	buf_add_u16(buf, (uint16_t)n);
	buf_add(buf, text, n);
}
