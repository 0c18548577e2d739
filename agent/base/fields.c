/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flat list of (name, value). */
#include "agent/base/fields.h"

#include <stdarg.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static void field_free(struct field *f)
{
	free(f->name);
	free(f->value);
}

void fields_fini(struct fields *f)
{
	for (size_t i = 0; i < f->count; i++)
		field_free(&f->items[i]);
	free(f->items);
	*f = FIELDS_INIT;
}

static void add(struct fields *f, char *name, const void *value, size_t size)
{
	char *copy = xmalloc(size + 1);

	if (f->count == f->capacity) {
		f->capacity = f->capacity ? 2 * f->capacity : 8;
		f->items = xrealloc(f->items, f->capacity, sizeof(*f->items));
	}
	if (size)
		memcpy(copy, value, size);
	copy[size] = '\0';
	f->items[f->count++] = (struct field){.name = name, .value = copy, .size = size};
}

void fields_add_n(struct fields *f, const char *name, const void *value, size_t size)
{
	add(f, xstrdup(name), value, size);
}

void fields_add(struct fields *f, const char *name, const char *value)
{
	if (value)
		fields_add_n(f, name, value, strlen(value));
}

void fields_addf(struct fields *f, const char *name, const char *fmt, ...)
{
	autofree char *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	value = xvasprintf(fmt, ap);
	va_end(ap);
	fields_add(f, name, value);
}

void fields_set(struct fields *f, const char *name, const char *value)
{
	struct field *last = (struct field *)fields_find(f, name);
	size_t kept = 0;

	if (!last) {
		fields_add(f, name, value);
		return;
	}
	autofree char *copy = xstrdup(value); /* may point into f */
	autofree char *key = xstrdup(name);

	free(last->value);
	last->size = strlen(copy);
	last->value = TAKE(copy);
	for (size_t i = 0; i < f->count; i++) {
		if (&f->items[i] != last && str_eq(f->items[i].name, key))
			field_free(&f->items[i]);
		else
			f->items[kept++] = f->items[i];
	}
	f->count = kept;
}

void fields_remove(struct fields *f, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->count; i++) {
		if (str_eq(f->items[i].name, name))
			field_free(&f->items[i]);
		else
			f->items[kept++] = f->items[i];
	}
	f->count = kept;
}

const struct field *fields_find(const struct fields *f, const char *name)
{
	for (size_t i = f->count; i > 0; i--)
		if (str_eq(f->items[i - 1].name, name))
			return &f->items[i - 1];
	return NULL;
}

const char *fields_get(const struct fields *f, const char *name)
{
	const struct field *found = fields_find(f, name);

	return found ? found->value : NULL;
}

void fields_copy(struct fields *dst, const struct fields *src)
{
	for (size_t i = 0; i < src->count; i++)
		fields_add_n(dst, src->items[i].name, src->items[i].value, src->items[i].size);
}

void fields_encode(const struct fields *f, struct buf *out)
{
	buf_add_u16(out, (uint16_t)f->count);
	for (size_t i = 0; i < f->count; i++) {
		size_t n = strlen(f->items[i].name);

		buf_add_u16(out, (uint16_t)n);
		buf_add(out, f->items[i].name, n);
		buf_add_u32(out, (uint32_t)f->items[i].size);
		buf_add(out, f->items[i].value, f->items[i].size);
	}
}

static bool decode_one(struct cursor *c, struct fields *f)
{
	size_t n = cursor_u16(c), size;
	const char *name, *value;

	if (n == 0 || n > FIELDS_NAME_MAX || !(name = cursor_bytes(c, n)) || memchr(name, '\0', n))
		return false;
	size = cursor_u32(c);
	if (size > FIELDS_VALUE_MAX || !(value = cursor_bytes(c, size)))
		return false;
	add(f, xstrndup(name, n), value, size);
	return true;
}

int fields_decode(struct cursor *c, struct fields *ret, struct err *err)
{
	size_t count = cursor_u16(c);

	*ret = FIELDS_INIT;
	if (c->failed || count > FIELDS_COUNT_MAX)
		return err_set(err, ERR_CORRUPT, "a list of fields is cut short or too long");
	for (size_t i = 0; i < count; i++) {
		if (decode_one(c, ret))
			continue;
		fields_fini(ret);
		return err_set(err, ERR_CORRUPT, "field %zu is malformed", i);
	}
	return 0;
}
