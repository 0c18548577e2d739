/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The streaming JSON writer. */
#include "agent/base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/str.h"

void json_init(struct json *j, struct buf *out)
{
	*j = (struct json){.out = out};
}

/* the comma before a value or key, where one is due */
static void before_value(struct json *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->has_items[j->depth])
		buf_add_char(j->out, ',');
	j->has_items[j->depth] = true;
}

static void begin(struct json *j, char c)
{
	before_value(j);
	buf_add_char(j->out, c);
	if (++j->depth >= JSON_DEPTH_MAX)
		abort(); /* nesting is the program's, never the input's */
	j->has_items[j->depth] = false;
}

static void end(struct json *j, char c)
{
	if (j->depth == 0)
		abort();
	j->depth--;
	buf_add_char(j->out, c);
}

void json_object_begin(struct json *j)
{
	begin(j, '{');
}

void json_object_end(struct json *j)
{
	end(j, '}');
}

void json_array_begin(struct json *j)
{
	begin(j, '[');
}

void json_array_end(struct json *j)
{
	end(j, ']');
}

static void add_escaped(struct buf *out, unsigned char c)
{
	static const char names[] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

	if (c == '"' || c == '\\')
		buf_addf(out, "\\%c", c);
	else if (c < sizeof(names) && names[c])
		buf_addf(out, "\\%c", names[c]);
	else
		buf_addf(out, "\\u%04x", c);
}

/* bytes at s that need no escape, as one run */
static size_t plain_run(const char *s, size_t size)
{
	size_t n = 0;

	while (n < size && (unsigned char)s[n] >= 0x20 && (unsigned char)s[n] < 0x7f &&
	       s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

/* length of a well-formed multi-byte sequence at s, 0 if there is none */
static size_t multibyte(const char *s, size_t size)
{
	for (size_t n = 2; n <= 4 && n <= size; n++)
		if (str_is_utf8(s, n))
			return (unsigned char)s[0] < 0x80 ? 0 : n;
	return 0;
}

static void add_text(struct buf *out, const char *s, size_t size)
{
	while (size > 0) {
		size_t n = plain_run(s, size);

		if (n == 0 && (unsigned char)s[0] >= 0x80 && (n = multibyte(s, size)) == 0) {
			buf_add_str(out, "\xef\xbf\xbd");
			n = 1;
		} else if (n == 0) {
			add_escaped(out, (unsigned char)s[0]);
			n = 1;
		} else {
			buf_add(out, s, n);
		}
		s += n;
		size -= n;
	}
}

void json_string_n(struct json *j, const char *value, size_t size)
{
	before_value(j);
	buf_add_char(j->out, '"');
	add_text(j->out, value, size);
	buf_add_char(j->out, '"');
}

void json_string(struct json *j, const char *value)
{
	if (value)
		json_string_n(j, value, strlen(value));
	else
		json_null(j);
}

void json_key(struct json *j, const char *key)
{
	json_string(j, key);
	buf_add_char(j->out, ':');
	j->after_key = true;
}

void json_int(struct json *j, int64_t value)
{
	before_value(j);
	buf_addf(j->out, "%" PRId64, value);
}

void json_uint(struct json *j, uint64_t value)
{
	before_value(j);
	buf_addf(j->out, "%" PRIu64, value);
}

void json_double(struct json *j, double value)
{
	char text[40];

	before_value(j);
	if (!isfinite(value))
		value = 0;
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buf_add_str(j->out, text);
}

void json_null(struct json *j)
{
	json_raw(j, "null", 4);
}

void json_true_false(struct json *j, bool value)
{
	if (value)
		json_raw(j, "true", 4);
	else
		json_raw(j, "false", 5);
}

void json_flag(struct json *j, bool value)
{
	json_raw(j, value ? "1" : "0", 1);
}

void json_raw(struct json *j, const char *text, size_t size)
{
	before_value(j);
	buf_add(j->out, text, size);
}

void json_kv_string(struct json *j, const char *key, const char *value)
{
	json_key(j, key);
	json_string(j, value);
}

void json_kv_int(struct json *j, const char *key, int64_t value)
{
	json_key(j, key);
	json_int(j, value);
}

void json_kv_uint(struct json *j, const char *key, uint64_t value)
{
	json_key(j, key);
	json_uint(j, value);
}

void json_kv_double(struct json *j, const char *key, double value)
{
	json_key(j, key);
	json_double(j, value);
}

void json_kv_bool(struct json *j, const char *key, bool value)
{
	json_key(j, key);
	json_flag(j, value);
}

void json_kv_null(struct json *j, const char *key)
{
	json_key(j, key);
	json_null(j);
}
