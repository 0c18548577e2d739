/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies between two states: each path once, in order, with what was and what is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "cluster/core/changes.h"

struct value {
	const char *path; /* NULL: the end */
	uint64_t version;
	const char *text;
};

static struct kv *kv_of(const struct value *values)
{
	struct kv *kv = kv_new();

	for (const struct value *v = values; v->path; v++)
		kv_load(kv, v->path, v->version, v->text, strlen(v->text));
	return kv;
}

static void note(const struct kv_change *c, void *ctx)
{
	buf_addf(ctx, "%s %s>%s;", c->path, c->before ? c->before->data : "-",
		 c->now ? c->now->data : "-");
}

static void each_path_once_and_in_order(void **state)
{
	static const struct {
		const struct value old[5], new[5];
		const char *expected;
	} cases[] = {
		{{{0}}, {{0}}, ""},
		{{{"/a", 1, "x"}}, {{"/a", 1, "x"}}, ""},
		{{{0}}, {{"/a", 1, "x"}, {"/b", 2, ""}}, "/a ->x;/b ->;"},
		{{{"/a", 1, "x"}, {"/b", 2, "y"}}, {{0}}, "/a x>-;/b y>-;"},
		{{{"/a", 1, "x"}}, {{"/a", 2, "y"}}, "/a x>y;"},
		{{{"/a", 1, "x"}}, {{"/a", 2, "x"}}, "/a x>x;"}, /* written again */
		{{{"/a", 1, "x"}}, {{"/a", 1, "y"}}, "/a x>y;"},
		{{{"/a", 1, "1"}, {"/c", 2, "2"}, {"/d", 3, "3"}},
		 {{"/b", 4, "4"}, {"/c", 2, "2"}, {"/d/e", 5, "5"}},
		 "/a 1>-;/b ->4;/d 3>-;/d/e ->5;"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kv *old = kv_of(cases[i].old), *new = kv_of(cases[i].new);
		autobuf said = BUF_INIT;

		changes_each(old, new, note, &said);
		assert_string_equal(buf_str(&said), cases[i].expected);
		kv_free(old);
		kv_free(new);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_path_once_and_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
