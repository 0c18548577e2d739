/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store as text: any value comes back, and what is not a whole and unchanged dump is refused with the reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/cli/store_dump.h"

static const struct {
	const char *path, *data;
	size_t size;
	bool is_text;
} values[] = {
	{"/a", "plain", 5, true},
	{"/b", "", 0, true},
	{"/c", "two\nlines\twith \"quotes\" and \\", 29, true},
	{"/d", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, true},
	{"/e", "nul\0inside", 10, false},
	{"/f", "\xff\xfe", 2, false},
	{"/g", "\x1b[31m", 5, false},
	{"/h", "/* no comment */ 'NaN'", 22, true},
};

static struct store_dump_line header(void)
{
	struct store_dump_line line = {
		.kind = STORE_DUMP_HEADER, .epoch = 3, .index = 120, .committed = 119, .voters = 3};

	memset(line.cluster, 'a', 32);
	memset(line.fork, '0', 32);
	memset(line.incarnation, '1', 32);
	return line;
}

static void put_value(struct store_dump *dump, size_t i, struct buf *out)
{
	struct store_dump_line line = {.kind = STORE_DUMP_VALUE, .version = i + 1};

	str_copy(line.path, sizeof(line.path), values[i].path);
	buf_add(&line.value, values[i].data, values[i].size);
	store_dump_put(dump, &line, out);
	store_dump_line_fini(&line);
}

/* The lines of a dump of all values. */
static char **whole(void)
{
	struct store_dump_line first = header(), end = {.kind = STORE_DUMP_END};
	struct store_dump dump = {0};
	autobuf out = BUF_INIT;

	store_dump_put(&dump, &first, &out);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		put_value(&dump, i, &out);
	store_dump_put(&dump, &end, &out);
	return str_split(buf_str(&out), "\n");
}

static void all_values_come_back(void **state)
{
	autostrv char **lines = whole();
	struct store_dump dump = {0};
	struct store_dump_line line;
	size_t count = strv_count(lines);

	(void)state;
	assert_int_equal(count, ARRAY_SIZE(values) + 2);
	for (size_t i = 0; i < count; i++) {
		struct err err = ERR_INIT;

		if (store_dump_take(&dump, lines[i], strlen(lines[i]), &line, &err) < 0)
			fail_msg("%s: %s", lines[i], err.message);
		if (i > 0 && i + 1 < count) {
			assert_string_equal(line.path, values[i - 1].path);
			assert_int_equal(line.version, i);
			assert_int_equal(line.value.size, values[i - 1].size);
			assert_memory_equal(buf_str(&line.value), values[i - 1].data,
					    line.value.size);
			assert_int_equal(strstr(lines[i], "\"text\"") != NULL,
					 values[i - 1].is_text);
		}
		store_dump_line_fini(&line);
	}
	assert_true(dump.is_complete);
	assert_int_equal(dump.count, ARRAY_SIZE(values));
}

static void a_header_comes_back(void **state)
{
	autostrv char **lines = whole();
	struct store_dump_line line, expected = header();

	(void)state;
	assert_int_equal(store_dump_decode(lines[0], strlen(lines[0]), &line, NULL), 0);
	assert_string_equal(line.cluster, expected.cluster);
	assert_string_equal(line.incarnation, expected.incarnation);
	assert_int_equal(line.epoch, 3);
	assert_int_equal(line.index, 120);
	assert_int_equal(line.committed, 119);
	assert_int_equal(line.voters, 3);
}

/* Takes lines until one is refused; whether the end was reached. */
static bool take_all(char *const *lines, struct err *err)
{
	struct store_dump dump = {0};
	struct store_dump_line line;

	*err = ERR_INIT;
	for (; *lines; lines++) {
		if (store_dump_take(&dump, *lines, strlen(*lines), &line, err) < 0)
			return false;
		store_dump_line_fini(&line);
	}
	return dump.is_complete;
}

static void a_missing_line_is_noticed(void **state)
{
	autostrv char **lines = whole();
	size_t count = strv_count(lines);
	struct err err;

	(void)state;
	assert_true(take_all(lines, &err));
	for (size_t i = 0; i < count; i++) {
		char **fewer = xcalloc(count, sizeof(*fewer));

		for (size_t k = 0, n = 0; k < count; k++)
			if (k != i)
				fewer[n++] = lines[k];
		assert_false(take_all(fewer, &err));
		free(fewer);
	}
}

static void any_other_character_is_noticed(void **state)
{
	autostrv char **lines = whole();
	struct err err;

	(void)state;
	for (char **line = lines; *line; line++)
		for (char *c = *line; *c; c++) {
			*c ^= 1;
			assert_false(take_all(lines, &err));
			*c ^= 1;
		}
	assert_true(take_all(lines, &err));
}

static void lines_change_places(void **state)
{
	autostrv char **lines = whole();
	char *kept = lines[2];
	struct err err;

	(void)state;
	lines[2] = lines[3];
	lines[3] = kept;
	assert_false(take_all(lines, &err));
	assert_non_null(strstr(err.message, "not in its place"));
}

static const struct {
	const char *text, *expected;
} bad[] = {
	{"", "no part of a dump"},
	{"[]", "no part of a dump"},
	{"{}", "no part of a dump"},
	{"{\"path\":\"/a\",\"version\":1}", "\"base64\" is missing"},
	{"{\"path\":\"/a\",\"version\":1,\"text\":1}", "\"text\" is missing, or of the wrong type"},
	{"{\"path\":\"/a\",\"version\":-1,\"text\":\"\"}", "\"version\" is below zero"},
	{"{\"path\":\"a\",\"version\":1,\"text\":\"\"}", "\"path\" is no path"},
	{"{\"path\":\"/a\\u0000\",\"version\":1,\"text\":\"\"}", "\"path\" is too long"},
	{"{\"path\":\"/a\",\"version\":1,\"base64\":\"!\"}", "\"base64\" is none"},
	{"{\"path\":\"/a\",\"version\":1,\"text\":\"\",\"base64\":\"\"}", "something unknown"},
	{"{\"path\":\"/a\",\"version\":1,\"text\":\"\",\"x\":1}", "something unknown"},
	{"{\"end\":1,\"digest\":\"00\"}", "\"digest\" is no digest"},
	{"{\"format\":\"other\",\"version\":1}", "\"format\" is not"},
	{"{\"format\":\"lodge-store-dump\",\"version\":2}", "\"version\" is not known"},
	{"{\"format\":\"lodge-store-dump\",\"version\":1}", "\"cluster\" is missing"},
};

static void bad_lines_are_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct store_dump_line line;
		struct err err = ERR_INIT;

		assert_int_equal(store_dump_decode(bad[i].text, strlen(bad[i].text), &line, &err),
				 -ERR_CORRUPT);
		if (!strstr(err.message, bad[i].expected))
			fail_msg("%s: '%s'", bad[i].text, err.message);
	}
}

static void a_value_of_the_largest_size_comes_back(void **state)
{
	struct store_dump_line line = {.kind = STORE_DUMP_VALUE, .path = "/a"}, back;
	autobuf text = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < STORE_VALUE_MAX; i++)
		buf_add_char(&line.value, i % 2 ? '"' : '\n');
	store_dump_encode(&line, &text);
	assert_true(text.size <= STORE_DUMP_LINE_MAX);
	assert_int_equal(store_dump_decode(text.data, text.size, &back, NULL), 0);
	assert_int_equal(back.value.size, STORE_VALUE_MAX);
	assert_memory_equal(back.value.data, line.value.data, STORE_VALUE_MAX);
	store_dump_line_fini(&back);
	store_dump_line_fini(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_values_come_back),
		cmocka_unit_test(a_header_comes_back),
		cmocka_unit_test(a_missing_line_is_noticed),
		cmocka_unit_test(any_other_character_is_noticed),
		cmocka_unit_test(lines_change_places),
		cmocka_unit_test(bad_lines_are_refused_by_name),
		cmocka_unit_test(a_value_of_the_largest_size_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
