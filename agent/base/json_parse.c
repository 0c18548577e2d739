/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounded JSON parsing by json-c. */
#include "agent/base/json.h"

#include <limits.h>
#include <json-c/json.h>

#include "agent/base/buf.h"
#include "agent/base/str.h"

/* json-c 0.16 takes 'single quotes', NaN, Infinity and comments even when strict. They all need a
 * character that JSON has in strings only. A backslash before a character beyond ASCII is no escape:
 * refused here, since as_ascii() would make one of it. */
static bool is_beyond_json(const char *text, size_t size)
{
	bool in_string = false;

	for (size_t i = 0; i < size; i++) {
		if (in_string && text[i] == '\\' && i + 1 < size && (text[i + 1] & 0x80))
			return true;
		else if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string &&
			 (text[i] == '\'' || text[i] == '/' || text[i] == 'N' || text[i] == 'I'))
			return true;
	}
	return false;
}

/* One character of valid UTF-8; returns its length. */
static size_t decode(const char *text, uint32_t *ret_code)
{
	unsigned char first = (unsigned char)text[0];
	size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t code = first & (0xffu >> (length + 1));

	for (size_t i = 1; i < length; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	*ret_code = code;
	return length;
}

static void add_escape(struct buf *out, uint32_t code)
{
	if (code < 0x10000) {
		buf_addf(out, "\\u%04x", code);
		return;
	}
	code -= 0x10000;
	buf_addf(out, "\\u%04x\\u%04x", 0xd800 | code >> 10, 0xdc00 | (code & 0x3ff));
}

/* The same document with escapes for all beyond ASCII: json-c 0.18 (Debian 13), when strict, takes every
 * byte above 0x7f for a control character. text is UTF-8. */
static void as_ascii(struct buf *out, const char *text, size_t size)
{
	size_t start = 0, i = 0;
	uint32_t code;

	while (i < size) {
		if (!(text[i] & 0x80)) {
			i++;
			continue;
		}
		buf_add(out, text + start, i - start);
		i += decode(text + i, &code);
		add_escape(out, code);
		start = i;
	}
	buf_add(out, text + start, size - start);
}

int json_parse(const char *text, size_t size, size_t limit, struct json_object **ret,
	       struct err *err)
{
	struct json_tokener *tokener;
	struct json_object *o;
	autobuf ascii = BUF_INIT;
	size_t used;
	int r = 0;

	if (size > limit || size >= INT_MAX / 6)
		return err_set(err, ERR_LIMIT, "JSON document is longer than %zu bytes", limit);
	if (!str_is_utf8(text, size))
		return err_set(err, ERR_INVALID, "not a JSON document: not UTF-8");
	if (is_beyond_json(text, size))
		return err_set(err, ERR_INVALID, "not a JSON document: unexpected character");
	as_ascii(&ascii, text, size);
	tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!tokener)
		return err_set(err, ERR_INTERNAL, "out of memory");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	o = json_tokener_parse_ex(tokener, buf_str(&ascii), (int)ascii.size);
	used = json_tokener_get_parse_end(tokener);
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		o = json_tokener_parse_ex(tokener, "", 1); /* a bare number ends with the input */
	if (json_tokener_get_error(tokener) != json_tokener_success)
		r = err_set(err, ERR_INVALID, "not a JSON document: %s",
			    json_tokener_error_desc(json_tokener_get_error(tokener)));
	else if (used < ascii.size)
		r = err_set(err, ERR_INVALID, "not a JSON document: text after its end");
	json_tokener_free(tokener);
	if (r < 0) {
		json_object_put(o);
		return r;
	}
	*ret = o;
	return 0;
}
