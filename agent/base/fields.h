/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flat list of (name, value) strings: what crosses process borders as call arguments. Order is
 * kept, a name may repeat (an array). Wire form: u16 count, then per field u16 name length, name,
 * u32 value length, value; little-endian, no NUL bytes inside names. Values may hold any byte. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/buf.h"
#include "agent/base/cursor.h"
#include "agent/base/err.h"

#define FIELDS_COUNT_MAX 1024
#define FIELDS_NAME_MAX	 256
#define FIELDS_VALUE_MAX (1024 * 1024)

struct field {
	char *name;  /* owned, NUL-terminated */
	char *value; /* owned, NUL-terminated after `size` bytes */
	size_t size;
};

struct fields {
	struct field *items;
	size_t count;
	size_t capacity;
};

#define FIELDS_INIT ((struct fields){0})

void fields_fini(struct fields *f);
void fields_add(struct fields *f, const char *name, const char *value); /* NULL value: skipped */
void fields_add_n(struct fields *f, const char *name, const void *value, size_t size);
void fields_addf(struct fields *f, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Replaces all of that name, in the place of the last of them; appends where there is none. */
void fields_set(struct fields *f, const char *name, const char *value);
void fields_remove(struct fields *f, const char *name);
const char *fields_get(const struct fields *f, const char *name); /* last of that name, or NULL */
const struct field *fields_find(const struct fields *f, const char *name);
void fields_copy(struct fields *dst, const struct fields *src); /* appends */
void fields_encode(const struct fields *f, struct buf *out);
/* Bounded; on failure *ret is left empty. Bytes after the list are not consumed. */
int fields_decode(struct cursor *c, struct fields *ret, struct err *err);

static inline void fields_finip(struct fields *f)
{
	fields_fini(f);
}
#define autofields __attribute__((cleanup(fields_finip))) struct fields
