/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads os-release as a shell would, without being one: KEY=value, quoted or not. Pure. */
#include "agent/guest/ct/os_release.h"

#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

/* A value's text without its quotes and escapes, appended to out; false where the quotes do not end. */
static bool unquote(const char *s, size_t size, struct buf *out)
{
	char quote = '\0';

	for (size_t i = 0; i < size; i++) {
		if (s[i] == '\\' && quote != '\'' && i + 1 < size)
			buf_add_char(out, s[++i]);
		else if (quote ? s[i] == quote : s[i] == '"' || s[i] == '\'')
			quote = quote ? '\0' : s[i];
		else
			buf_add_char(out, s[i]);
	}
	return quote == '\0';
}

static bool is_name(const char *s, bool may_have_spaces)
{
	for (; *s; s++) {
		bool is_fine = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') ||
			       strchr("._-", *s) || (may_have_spaces && *s == ' ');

		if (!is_fine)
			return false;
	}
	return true;
}

static void take_line(const char *line, size_t size, struct os_release *ret)
{
	const struct {
		const char *key;
		char *dst;
		size_t size;
	} wanted[] = {
		{"ID=", ret->id, sizeof(ret->id)},
		{"ID_LIKE=", ret->like, sizeof(ret->like)},
		{"VERSION_ID=", ret->version, sizeof(ret->version)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		size_t length = strlen(wanted[i].key);
		autobuf value = BUF_INIT;

		if (size < length || memcmp(line, wanted[i].key, length) != 0)
			continue;
		if (!unquote(line + length, size - length, &value) ||
		    !is_name(buf_str(&value), wanted[i].dst == ret->like) ||
		    !str_copy(wanted[i].dst, wanted[i].size, buf_str(&value)))
			wanted[i].dst[0] = '\0';
	}
}

void os_release_parse(const char *text, size_t size, struct os_release *ret)
{
	size_t limit = size < OS_RELEASE_MAX ? size : OS_RELEASE_MAX;

	*ret = (struct os_release){0};
	for (size_t at = 0; at < limit;) {
		const char *end = memchr(text + at, '\n', limit - at);
		size_t length = end ? (size_t)(end - text) - at : limit - at;

		while (length > 0 && strchr(" \t", text[at]) && text[at])
			at++, length--;
		while (length > 0 && text[at + length - 1] &&
		       strchr(" \t\r", text[at + length - 1]))
			length--;
		take_line(text + at, length, ret);
		at = end ? (size_t)(end - text) + 1 : limit;
	}
}
