/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of named secrets. Pure; runs in the core; must never put a value into an error. */
#include "agent/auth/secrets.h"

#include <string.h>

#include "agent/base/map.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define SECRET_LINE_MAX 1024

struct secrets {
	struct map *map;
};

void secret_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

static void value_free(void *value)
{
	secret_free(value);
}

struct secrets *secrets_new(void)
{
	struct secrets *s = xcalloc(1, sizeof(*s));

	s->map = map_new();
	return s;
}

void secrets_free(struct secrets *s)
{
	if (!s)
		return;
	map_free(s->map, value_free);
	free(s);
}

static int add_line(struct secrets *s, const char *line, size_t size, struct err *err)
{
	const char *colon = memchr(line, ':', size);

	if (!colon || colon == line || colon + 1 == line + size || size > SECRET_LINE_MAX ||
	    memchr(line, '\0', size))
		return err_set(err, ERR_CORRUPT, "not NAME:VALUE");
	autofree char *name = xstrndup(line, (size_t)(colon - line));
	if (secrets_get(s, name))
		return err_set(err, ERR_CORRUPT, "repeated");
	map_put(s->map, name, xstrndup(colon + 1, size - (size_t)(colon - line) - 1));
	return 0;
}

static void secrets_freep(struct secrets **s)
{
	secrets_free(*s);
}

int secrets_parse(const char *text, size_t size, struct secrets **ret, struct err *err)
{
	__attribute__((cleanup(secrets_freep))) struct secrets *s = secrets_new();
	unsigned number = 0;

	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t length = end ? (size_t)(end - text) : size;
		int r;

		number++;
		if (!end)
			return err_set(err, ERR_CORRUPT, "line %u: not a line of text", number);
		r = add_line(s, text, length, err);
		if (r < 0)
			return err_prefix(err, "line %u", number);
		text = end + 1;
		size -= length + 1;
	}
	*ret = TAKE(s);
	return 0;
}

void secrets_format(const struct secrets *s, struct buf *out)
{
	const char *name;

	for (const char *value = map_first(s->map, NULL, &name); value;
	     value = map_next(s->map, name, &name))
		buf_addf(out, "%s:%s\n", name, value);
}

const char *secrets_get(const struct secrets *s, const char *name)
{
	return map_get(s->map, name);
}

void secrets_put(struct secrets *s, const char *name, const char *value)
{
	secret_free(map_put(s->map, name, xstrdup(value)));
}

void secrets_remove(struct secrets *s, const char *name)
{
	secret_free(map_remove(s->map, name));
}

void secrets_remove_prefix(struct secrets *s, const char *prefix)
{
	const char *key;

	while (map_first(s->map, prefix, &key) && str_starts(key, prefix)) {
		autofree char *name = xstrdup(key);

		secrets_remove(s, name);
	}
}
