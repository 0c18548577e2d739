/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text form of a store. Pure. */
#include "agent/cli/store_dump.h"

#include <string.h>

#include <json-c/json.h>

#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

void store_dump_line_fini(struct store_dump_line *line)
{
	buf_fini(&line->value);
}

/* ---- out ---- */

static bool is_plain(const struct buf *value)
{
	for (size_t i = 0; i < value->size; i++) {
		unsigned char c = (unsigned char)value->data[i];

		if (c == 0x7f || (c < ' ' && c != '\n' && c != '\t' && c != '\r'))
			return false;
	}
	return value->size == 0 || str_is_utf8(value->data, value->size);
}

static void encode_header(const struct store_dump_line *line, struct json *j)
{
	json_kv_string(j, "format", STORE_DUMP_FORMAT);
	json_kv_uint(j, "version", STORE_DUMP_VERSION);
	json_kv_string(j, "cluster", line->cluster);
	json_kv_string(j, "fork", line->fork);
	json_kv_string(j, "incarnation", line->incarnation);
	json_kv_uint(j, "epoch", line->epoch);
	json_kv_uint(j, "index", line->index);
	json_kv_uint(j, "committed", line->committed);
	json_kv_uint(j, "voters", line->voters);
}

static void encode_value(const struct store_dump_line *line, struct json *j)
{
	autobuf text = BUF_INIT;

	json_kv_string(j, "path", line->path);
	json_kv_uint(j, "version", line->version);
	if (is_plain(&line->value)) {
		json_key(j, "text");
		json_string_n(j, line->value.data ? line->value.data : "", line->value.size);
		return;
	}
	base64_encode(line->value.data, line->value.size, &text);
	json_kv_string(j, "base64", buf_str(&text));
}

static void encode_end(const struct store_dump_line *line, struct json *j)
{
	json_kv_uint(j, "end", line->count);
	json_kv_string(j, "digest", line->digest);
}

static void (*const encoders[])(const struct store_dump_line *line, struct json *j) = {
	[STORE_DUMP_HEADER] = encode_header,
	[STORE_DUMP_VALUE] = encode_value,
	[STORE_DUMP_END] = encode_end,
};

void store_dump_encode(const struct store_dump_line *line, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_object_begin(&j);
	encoders[line->kind](line, &j);
	json_object_end(&j);
}

/* ---- in ---- */

/* An object, and how many of its members were asked for. */
struct taking {
	struct json_object *o;
	int taken;
	struct err *err;
	int r;
};

static void refuse(struct taking *t, const char *key, const char *what)
{
	if (t->r == 0)
		t->r = err_set(t->err, ERR_CORRUPT, "\"%s\" %s", key, what);
}

static struct json_object *take(struct taking *t, const char *key, enum json_type type)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(t->o, key, &value) || !json_object_is_type(value, type)) {
		refuse(t, key, "is missing, or of the wrong type");
		return NULL;
	}
	t->taken++;
	return value;
}

static uint64_t take_uint(struct taking *t, const char *key)
{
	struct json_object *value = take(t, key, json_type_int);

	if (value && json_object_get_int64(value) < 0)
		refuse(t, key, "is below zero");
	return value ? (uint64_t)json_object_get_int64(value) : 0;
}

static void take_text(struct taking *t, const char *key, char *ret, size_t size)
{
	struct json_object *value = take(t, key, json_type_string);
	size_t length = value ? (size_t)json_object_get_string_len(value) : 0;

	if (!value)
		return;
	if (strlen(json_object_get_string(value)) != length ||
	    !str_copy(ret, size, json_object_get_string(value)))
		refuse(t, key, "is too long");
}

static void take_id(struct taking *t, const char *key, char *ret, size_t size)
{
	take_text(t, key, ret, size);
	if (strlen(ret) != size - 1 || strspn(ret, "0123456789abcdef") != size - 1)
		refuse(t, key, "is no digest");
}

static void decode_header(struct taking *t, struct store_dump_line *ret)
{
	char format[32] = "";

	take_text(t, "format", format, sizeof(format));
	if (!str_eq(format, STORE_DUMP_FORMAT))
		refuse(t, "format", "is not \"" STORE_DUMP_FORMAT "\"");
	if (take_uint(t, "version") != STORE_DUMP_VERSION)
		refuse(t, "version", "is not known to this program");
	take_id(t, "cluster", ret->cluster, sizeof(ret->cluster));
	take_id(t, "fork", ret->fork, sizeof(ret->fork));
	take_id(t, "incarnation", ret->incarnation, sizeof(ret->incarnation));
	ret->epoch = take_uint(t, "epoch");
	ret->index = take_uint(t, "index");
	ret->committed = take_uint(t, "committed");
	ret->voters = take_uint(t, "voters");
}

static void decode_value(struct taking *t, struct store_dump_line *ret)
{
	bool is_text = json_object_object_get_ex(t->o, "text", NULL);
	const char *key = is_text ? "text" : "base64";
	struct json_object *value;
	size_t size;

	take_text(t, "path", ret->path, sizeof(ret->path));
	if (!store_path_is_valid(ret->path))
		refuse(t, "path", "is no path");
	ret->version = take_uint(t, "version");
	if (!(value = take(t, key, json_type_string)))
		return;
	size = (size_t)json_object_get_string_len(value);
	if (is_text)
		buf_add(&ret->value, json_object_get_string(value), size);
	else if (!base64_decode(json_object_get_string(value), size, &ret->value))
		refuse(t, key, "is none");
	if (ret->value.size > STORE_VALUE_MAX)
		refuse(t, key, "is too large for a value");
}

static void decode_end(struct taking *t, struct store_dump_line *ret)
{
	ret->count = take_uint(t, "end");
	take_id(t, "digest", ret->digest, sizeof(ret->digest));
}

static const struct {
	const char *key; /* that only this kind has */
	enum store_dump_kind kind;
	void (*decode)(struct taking *t, struct store_dump_line *ret);
} kinds[] = {
	{"format", STORE_DUMP_HEADER, decode_header},
	{"path", STORE_DUMP_VALUE, decode_value},
	{"end", STORE_DUMP_END, decode_end},
};

static int decode_object(struct json_object *o, struct store_dump_line *ret, struct err *err)
{
	struct taking t = {.o = o, .err = err};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!json_object_object_get_ex(o, kinds[i].key, NULL))
			continue;
		ret->kind = kinds[i].kind;
		kinds[i].decode(&t, ret);
		if (t.r == 0 && t.taken != json_object_object_length(o))
			refuse(&t, kinds[i].key, "stands beside something unknown");
		return t.r;
	}
	return err_set(err, ERR_CORRUPT, "it is no part of a dump");
}

int store_dump_decode(const char *text, size_t size, struct store_dump_line *ret, struct err *err)
{
	struct store_dump_line line = {0};
	struct json_object *o = NULL;
	int r = json_parse(text, size, STORE_DUMP_LINE_MAX, &o, err);

	if (r < 0)
		return err_set(err, ERR_CORRUPT, "it is no part of a dump");
	r = json_object_is_type(o, json_type_object)
		    ? decode_object(o, &line, err)
		    : err_set(err, ERR_CORRUPT, "it is no part of a dump");
	json_object_put(o);
	if (r < 0) {
		store_dump_line_fini(&line);
		return r;
	}
	*ret = line;
	return 0;
}

/* ---- one after the other ---- */

static void fold(struct store_dump *dump, const char *text, size_t size)
{
	autobuf all = BUF_INIT;

	buf_add(&all, dump->digest, sizeof(dump->digest));
	buf_add(&all, text, size);
	digest_sha256(all.data, all.size, dump->digest);
}

static void digest_text(const struct store_dump *dump, char ret[SHA256_HEX_SIZE])
{
	autobuf hex = BUF_INIT;

	digest_hex(dump->digest, sizeof(dump->digest), &hex);
	str_copy(ret, SHA256_HEX_SIZE, buf_str(&hex));
}

static int check_value(struct store_dump *dump, const struct store_dump_line *line, struct err *err)
{
	if (strcmp(line->path, dump->path) <= 0)
		return err_set(err, ERR_CORRUPT, "%s is not in its place", line->path);
	str_copy(dump->path, sizeof(dump->path), line->path);
	dump->count++;
	return 0;
}

static int check_end(struct store_dump *dump, const struct store_dump_line *line, struct err *err)
{
	char digest[SHA256_HEX_SIZE];

	digest_text(dump, digest);
	if (line->count != dump->count)
		return err_set(err, ERR_CORRUPT, "not all values of the dump are there");
	if (!str_eq(digest, line->digest))
		return err_set(err, ERR_CORRUPT, "the dump was changed since it was made");
	dump->is_complete = true;
	return 0;
}

static int check_order(struct store_dump *dump, const struct store_dump_line *line, struct err *err)
{
	if (dump->is_complete)
		return err_set(err, ERR_CORRUPT, "something stands behind the end of the dump");
	if (dump->has_header == (line->kind == STORE_DUMP_HEADER))
		return err_set(err, ERR_CORRUPT, "a dump begins with its one header");
	dump->has_header = true;
	if (line->kind == STORE_DUMP_VALUE)
		return check_value(dump, line, err);
	return line->kind == STORE_DUMP_END ? check_end(dump, line, err) : 0;
}

int store_dump_take(struct store_dump *dump, const char *text, size_t size,
		    struct store_dump_line *ret, struct err *err)
{
	struct store_dump_line line;
	int r = store_dump_decode(text, size, &line, err);

	if (r < 0)
		return r;
	if ((r = check_order(dump, &line, err)) < 0) {
		store_dump_line_fini(&line);
		return r;
	}
	fold(dump, text, size);
	*ret = line;
	return 0;
}

void store_dump_put(struct store_dump *dump, struct store_dump_line *line, struct buf *out)
{
	size_t start = out->size;

	if (line->kind == STORE_DUMP_END) {
		line->count = dump->count;
		digest_text(dump, line->digest);
	}
	dump->count += line->kind == STORE_DUMP_VALUE;
	store_dump_encode(line, out);
	fold(dump, out->data + start, out->size - start);
	buf_add_char(out, '\n');
}
