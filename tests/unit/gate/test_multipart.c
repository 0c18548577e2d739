/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Multipart bodies, whole and in pieces of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/gate/multipart.h"

#define TYPE "multipart/form-data; boundary=XyZ"

static int on_part(void *ctx, const char *name, const char *file, struct err *err)
{
	(void)err;
	buf_addf(ctx, "[%s|%s:", name, file ? file : "-");
	return 0;
}

static int on_data(void *ctx, const char *data, size_t size, struct err *err)
{
	(void)err;
	buf_add(ctx, data, size);
	return 0;
}

static int on_part_end(void *ctx, struct err *err)
{
	(void)err;
	buf_add_char(ctx, ']');
	return 0;
}

static const struct multipart_ops ops = {on_part, on_data, on_part_end};

/* What the parser saw, fed in pieces of this size. */
static int parse(const char *type, const char *body, size_t size, size_t piece, struct buf *ret,
		 bool *ret_over)
{
	struct multipart *m;
	int r = multipart_new(type, &ops, ret, &m, NULL);
	if (r < 0)
		return r;
	for (size_t at = 0; r == 0 && at < size; at += piece)
		r = multipart_feed(m, body + at, size - at < piece ? size - at : piece, NULL);
	*ret_over = multipart_is_over(m);
	multipart_free(m);
	return r;
}

#define PART(disposition, text)                                                                    \
	"--XyZ\r\nContent-Disposition: form-data; " disposition "\r\n\r\n" text "\r\n"

static const struct {
	const char *body, *seen;
	bool is_over;
} good[] = {
	{PART("name=\"content\"", "iso")
		 PART("name=\"filename\"; filename=\"a.iso\"", "DATA") "--XyZ--\r\n",
	 "[content|-:iso][filename|a.iso:DATA]", true},
	{PART("name=\"a\"", "") "--XyZ--", "[a|-:]", true},
	{"preamble\r\n" PART("name=a", "b") "--XyZ--\r\nepilogue", "[a|-:b]", true},
	{PART("name=\"a\"", "x\r\n--XyY\r\n--Xy\r\n\r\n--X") "--XyZ--",
	 "[a|-:x\r\n--XyY\r\n--Xy\r\n\r\n--X]", true},
	{PART("name=\"a\"", "\r\n") "--XyZ--", "[a|-:\r\n]", true},
	{"--XyZ \t\r\ncontent-disposition: form-data; name=\"q\\\"t\"; "
	 "filename=\"C:\\\\x\\\\b.iso\"\r\n"
	 "Content-Type: x\r\n\r\nq\r\n--XyZ--",
	 "[q\"t|b.iso:q]", true},
	{"--XyZ\r\nContent-Type: x\r\nContent-Disposition: form-data; name=f; "
	 "filename*=UTF-8''../../e%20f.iso\r\n\r\nq\r\n--XyZ--",
	 "[f|e f.iso:q]", true},
	{PART("name=\"a\"", "cut"), "[a|-:cut", false},
	{"--XyZ--", "", true},
	{"", "", false},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		size_t size = strlen(good[i].body);
		for (size_t piece = 1; piece <= size + 1; piece++) {
			autobuf seen = BUF_INIT;
			bool is_over = false;
			assert_int_equal(parse(TYPE, good[i].body, size, piece, &seen, &is_over),
					 0);
			/* what may still be part of a boundary is not given out yet */
			if (good[i].is_over)
				assert_string_equal(buf_str(&seen), good[i].seen);
			else
				assert_true(str_starts(good[i].seen, buf_str(&seen)));
			assert_int_equal(is_over, good[i].is_over);
		}
	}
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"--XyZ\r\n\r\nno head\r\n--XyZ--",
		"--XyZ\r\nContent-Type: x\r\n\r\nno name\r\n--XyZ--",
		"--XyZ\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nx\r\n--XyZ--",
		"--XyZjunk\r\n",
		"--XyZ-\r\n",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		for (size_t piece = 1; piece <= strlen(bad[i]); piece++) {
			autobuf seen = BUF_INIT;
			bool is_over = false;
			assert_int_equal(
				parse(TYPE, bad[i], strlen(bad[i]), piece, &seen, &is_over),
				-ERR_INVALID);
			assert_false(is_over);
		}
	}
}

static void test_bounds(void **state)
{
	autobuf body = BUF_INIT, seen = BUF_INIT;
	bool is_over;
	(void)state;
	for (size_t i = 0; i < 70000; i++)
		buf_add_char(&body, 'x');
	assert_int_equal(parse(TYPE, body.data, body.size, 4096, &seen, &is_over), -ERR_INVALID);
	buf_clear(&body);
	buf_add_str(&body, "--XyZ\r\nContent-Disposition: form-data; name=\"");
	for (size_t i = 0; i < 9000; i++)
		buf_add_char(&body, 'x');
	assert_int_equal(parse(TYPE, body.data, body.size, 4096, &seen, &is_over), -ERR_INVALID);
	assert_int_equal(seen.size, 0);
}

static void test_boundaries(void **state)
{
	static const struct {
		const char *type;
		int result;
	} types[] = {
		{"multipart/form-data; boundary=XyZ", 0},
		{"multipart/form-data; charset=\"a;b\"; boundary=\"XyZ\"", 0},
		{"multipart/form-data;boundary=XyZ; x=y", 0},
		{"multipart/form-data", -ERR_INVALID},
		{"multipart/form-data; boundary=", -ERR_INVALID},
		{"multipart/form-data; boundary=\"a\tb\"", -ERR_INVALID},
		{"multipart/form-data; boundary="
		 "x1234567890123456789012345678901234567890123456789012345678901234567890",
		 -ERR_INVALID},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		autobuf seen = BUF_INIT;
		bool is_over;
		assert_int_equal(parse(types[i].type, good[0].body, strlen(good[0].body), 7, &seen,
				       &is_over),
				 types[i].result);
		if (types[i].result == 0)
			assert_string_equal(buf_str(&seen), good[0].seen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_boundaries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
