/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads lists of templates and writes them. Pure. */
#include "storage/catalog/internal.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define LINE_MAX_SIZE 4096
#define NAME_MAX_SIZE 64

static void entry_fini(struct catalog_entry *entry)
{
	free(entry->name);
	fields_fini(&entry->keys);
}

void catalog_fini(struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->count; i++)
		entry_fini(&catalog->items[i]);
	free(catalog->items);
	*catalog = CATALOG_INIT;
}

static bool name_is_valid(const char *name)
{
	size_t size = strlen(name);
	return size > 0 && size <= NAME_MAX_SIZE &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       size;
}

static char *trimmed(const char *text, size_t size)
{
	while (size > 0 && strchr(" \t\r", text[size - 1]))
		size--;
	while (size > 0 && strchr(" \t", *text)) {
		text++;
		size--;
	}
	return xstrndup(text, size);
}

static int begin_entry(struct catalog *catalog, const char *line, struct err *err)
{
	size_t size = strlen(line);
	autofree char *name = line[size - 1] == ']' ? xstrndup(line + 1, size - 2) : xstrdup("");
	if (!name_is_valid(name))
		return err_set(err, ERR_INVALID, "'%.80s' is no [name]", line);
	if (catalog->count == CATALOG_ENTRIES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d entries", CATALOG_ENTRIES_MAX);
	catalog->items = xrealloc(catalog->items, catalog->count + 1, sizeof(*catalog->items));
	catalog->items[catalog->count++] = (struct catalog_entry){.name = TAKE(name)};
	return 0;
}

static int add_key(struct catalog *catalog, const char *line, struct err *err)
{
	const char *sign = strchr(line, '=');
	struct catalog_entry *entry = catalog->count ? &catalog->items[catalog->count - 1] : NULL;
	if (!sign || sign == line)
		return err_set(err, ERR_INVALID, "'%.80s' is no 'key = value'", line);
	if (!entry)
		return err_set(err, ERR_INVALID, "a key before the first [name]");
	autofree char *key = trimmed(line, (size_t)(sign - line));
	autofree char *value = trimmed(sign + 1, strlen(sign + 1));
	if (fields_find(&entry->keys, key))
		return err_field(err, "key", "'%.64s' is given twice", key);
	if (!*key || strlen(key) >= ERR_FIELD_MAX || !*value || strlen(value) > CATALOG_VALUE_MAX)
		return err_set(err, ERR_INVALID, "'%.64s' is empty or too long", key);
	if (!str_is_utf8(value, strlen(value)) || strpbrk(value, "\t\x7f\x1b"))
		return err_set(err, ERR_INVALID, "'%.64s' is no plain text", key);
	fields_add(&entry->keys, key, value);
	return 0;
}

static bool has_control(const char *line)
{
	for (; *line; line++)
		if ((unsigned char)*line < ' ' && *line != '\t')
			return true;
	return false;
}

static int add_line(struct catalog *catalog, const char *start, size_t size, struct err *err)
{
	if (size > LINE_MAX_SIZE || memchr(start, '\0', size))
		return err_set(err, ERR_INVALID, "the line is too long, or no text");
	autofree char *line = trimmed(start, size);
	if (!*line || *line == '#')
		return 0;
	if (has_control(line))
		return err_set(err, ERR_INVALID, "control characters");
	return *line == '[' ? begin_entry(catalog, line, err) : add_key(catalog, line, err);
}

static int parse(struct catalog *ret, const char *text, size_t size, struct err *err)
{
	const char *end = text + size;
	int r = 0;
	for (unsigned line = 1; r == 0 && text < end; line++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text)) ?: end;
		r = add_line(ret, text, (size_t)(stop - text), err);
		if (r < 0)
			err_prefix(err, "line %u", line);
		text = stop + 1;
	}
	for (size_t i = 0; r == 0 && i < ret->count; i++)
		r = catalog_entry_check(&ret->items[i], err);
	return r;
}

static void put_entry(struct catalog *catalog, struct catalog_entry *entry)
{
	for (size_t i = 0; i < catalog->count; i++)
		if (str_eq(catalog->items[i].name, entry->name)) {
			entry_fini(&catalog->items[i]);
			catalog->items[i] = *entry;
			return;
		}
	catalog->items = xrealloc(catalog->items, catalog->count + 1, sizeof(*catalog->items));
	catalog->items[catalog->count++] = *entry;
}

int catalog_add(struct catalog *catalog, const char *text, size_t size, struct err *err)
{
	autocatalog own = CATALOG_INIT;
	if (size > CATALOG_TEXT_MAX)
		return err_set(err, ERR_LIMIT, "larger than %d bytes", CATALOG_TEXT_MAX);
	int r = parse(&own, text, size, err);
	if (r == 0 && catalog->count + own.count > CATALOG_ENTRIES_MAX)
		r = err_set(err, ERR_LIMIT, "more than %d entries", CATALOG_ENTRIES_MAX);
	if (r < 0)
		return r;
	for (size_t i = 0; i < own.count; i++)
		put_entry(catalog, &own.items[i]);
	own.count = 0; /* they were handed over */
	return 0;
}

void catalog_format(const struct catalog *catalog, struct buf *out)
{
	for (size_t i = 0; i < catalog->count; i++) {
		const struct catalog_entry *entry = &catalog->items[i];
		buf_addf(out, "[%s]\n", entry->name);
		for (size_t k = 0; k < entry->keys.count; k++)
			buf_addf(out, "%s = %s\n", entry->keys.items[k].name,
				 entry->keys.items[k].value);
	}
}
