/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A streaming JSON writer onto a buffer; it adds commas itself. Parsing is json-c's, behind
 * json_parse() with bounded size and depth. Invalid UTF-8 becomes U+FFFD. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

#define JSON_DEPTH_MAX 32

struct json {
	struct buf *out; /* borrowed */
	int depth;
	bool has_items[JSON_DEPTH_MAX];
	bool after_key;
};

void json_init(struct json *j, struct buf *out);
void json_object_begin(struct json *j);
void json_object_end(struct json *j);
void json_array_begin(struct json *j);
void json_array_end(struct json *j);
void json_key(struct json *j, const char *key);
void json_string(struct json *j, const char *value); /* NULL writes null */
void json_string_n(struct json *j, const char *value, size_t size);
void json_int(struct json *j, int64_t value);
void json_uint(struct json *j, uint64_t value);
void json_double(struct json *j, double value); /* shortest text that reads back the same; nan/inf are 0 */
void json_null(struct json *j);
void json_true_false(struct json *j, bool value); /* a JSON true/false; the API wants json_flag */
void json_flag(struct json *j, bool value);	   /* 1 or 0, as the API contract has it (json_bool is a type of json-c) */
void json_raw(struct json *j, const char *text, size_t size); /* a ready JSON value */

/* key and value in one */
void json_kv_string(struct json *j, const char *key, const char *value);
void json_kv_int(struct json *j, const char *key, int64_t value);
void json_kv_uint(struct json *j, const char *key, uint64_t value);
void json_kv_double(struct json *j, const char *key, double value);
void json_kv_bool(struct json *j, const char *key, bool value);
void json_kv_null(struct json *j, const char *key);

struct json_object; /* json-c */
/* Parses one document of at most limit bytes and JSON_DEPTH_MAX levels; trailing bytes are an
 * error. The caller owns *ret (json_object_put). */
int json_parse(const char *text, size_t size, size_t limit, struct json_object **ret,
	       struct err *err);
