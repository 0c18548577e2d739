/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

/* "a=1|b=x" */
static char *text_of(const struct fields *f)
{
	autobuf out = BUF_INIT;

	for (size_t i = 0; i < f->count; i++)
		buf_addf(&out, "%s%s=%s", i ? "|" : "", f->items[i].name, f->items[i].value);
	buf_str(&out);
	return buf_steal(&out);
}

typedef int (*parser)(const char *text, size_t size, struct fields *ret, struct err *err);

struct list_case {
	const char *in;
	const char *out;   /* NULL: refused */
	const char *error; /* part of the message or the field's name */
};

static void check_lists(parser parse, const struct list_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct list_case *c = &cases[i];
		autofields f = FIELDS_INIT;
		autofree char *got = NULL;
		struct err err = ERR_INIT;
		int r = parse(c->in, strlen(c->in), &f, &err);

		got = text_of(&f);
		if (c->out && (r < 0 || strcmp(got, c->out) != 0))
			fail_msg("%s: got %s (%s)", c->in, got, err.message);
		if (!c->out && (r != -ERR_INVALID ||
				(!strstr(err.message, c->error) && !str_eq(err.field, c->error))))
			fail_msg("%s: got %d %s %s", c->in, r, err.field, err.message);
	}
}

static void forms(void **state)
{
	static const struct list_case cases[] = {
		{.in = "", ""},
		{.in = "a=1", "a=1"},
		{.in = "a=1&b=2;c=3", "a=1|b=2|c=3"},
		{.in = "a=1&a=2", "a=1|a=2"},
		{.in = "&&a=1;;", "a=1"},
		{.in = "flag", "flag="},
		{.in = "flag=", "flag="},
		{.in = "=x", ""},
		{.in = "a==b", "a==b"},
		{.in = "_dc=123&a=1", "a=1"},
		{.in = "a+b=c+d", "a b=c d"},
		{.in = "%61=%c3%A9", "a=\xc3\xa9"},
		{.in = "a=%26%3b%3D", "a=&;="},
		{.in = "a=%", NULL, "bad percent escape"},
		{.in = "a=%4", NULL, "bad percent escape"},
		{.in = "a=%g0", NULL, "bad percent escape"},
		{.in = "%0=1", NULL, "bad percent escape"},
		{.in = "a=%00", NULL, "bad percent escape"},
	};
	(void)state;
	check_lists(parse_form, cases, ARRAY_SIZE(cases));
}

static void json(void **state)
{
	static const struct list_case cases[] = {
		{.in = "{}", ""},
		{.in = "{\"a\":1,\"b\":\"x\",\"c\":true,\"d\":false}", "a=1|b=x|c=1|d=0"},
		{.in = "{\"a\":null}", ""},
		{.in = "{\"a\":[1,\"b\",true,null]}", "a=1|a=b|a=1"},
		{.in = "{\"a\":[]}", ""},
		{.in = "{\"a\":1.50,\"b\":-3,\"c\":9223372036854775807}",
		 "a=1.50|b=-3|c=9223372036854775807"},
		{.in = " {\"a\" : \"\\u00e9\\n\"} ", "a=\xc3\xa9\n"},
		{.in = "{\"a\":{}}", NULL, "a"},
		{.in = "{\"list\":[[1]]}", NULL, "list"},
		{.in = "{\"nul\":\"a\\u0000b\"}", NULL, "nul"},
		{.in = "[1]", NULL, "must be a JSON object"},
		{.in = "1", NULL, "must be a JSON object"},
		{.in = "", NULL, "not JSON"},
		{.in = "{\"a\":1", NULL, "not JSON"},
		{.in = "{\"a\":1} x", NULL, "not JSON"},
		{.in = "{\"\":1}", NULL, "name of a parameter"},
	};
	(void)state;
	check_lists(parse_json, cases, ARRAY_SIZE(cases));
}

static void bounds(void **state)
{
	autobuf text = BUF_INIT;
	autofields many = FIELDS_INIT, named = FIELDS_INIT;
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i <= FIELDS_COUNT_MAX; i++)
		buf_add_str(&text, "a=&");
	assert_int_equal(parse_form(text.data, text.size, &many, &err), -ERR_INVALID);
	assert_int_equal(many.count, FIELDS_COUNT_MAX);
	buf_clear(&text);
	for (int i = 0; i <= FIELDS_NAME_MAX; i++)
		buf_add_str(&text, "a");
	assert_int_equal(parse_form(text.data, text.size, &named, &err), -ERR_INVALID);
	assert_int_equal(parse_form(text.data, text.size - 1, &named, &err), 0);
}

static void targets(void **state)
{
	static const struct {
		const char *in, *path, *query; /* path NULL: refused */
	} cases[] = {
		{"/", "/", ""},
		{"/a/b?c=%20d?e", "/a/b", "c=%20d?e"},
		{"/a%2Fb%20c", "/a/b c", ""},
		{"/a%2541", "/a%41", ""}, /* once */
		{"/a+b", "/a+b", ""},
		{"", NULL, NULL},
		{"*", NULL, NULL},
		{"http://host/a", NULL, NULL},
		{"/a%00", NULL, NULL},
		{"/a%0a", NULL, NULL},
		{"/a%", NULL, NULL},
		{"/%ff", NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *path = NULL;
		const char *query = NULL;
		struct err err = ERR_INIT;
		int r = parse_target(cases[i].in, &path, &query, &err);

		if ((r == 0) != (cases[i].path != NULL) || !str_eq(path, cases[i].path) ||
		    !str_eq(query, cases[i].query))
			fail_msg("%s: got %s %s", cases[i].in, path, query);
	}
}

static void cookies(void **state)
{
	static const struct {
		const char *header, *value;
	} cases[] = {
		{"PVEAuthCookie=a", "a"},
		{"x=1; PVEAuthCookie=PVE%3Aroot%40pam%3A1%3A%3Aab%2B%3D; y=2",
		 "PVE:root@pam:1::ab+="},
		{"PVEAuthCookie=a+b/c==", "a+b/c=="},
		{"XPVEAuthCookie=a", NULL},
		{"PVEAuthCookie2=a", NULL},
		{"PVEAuthCookie", NULL},
		{"PVEAuthCookie=%zz", NULL},
		{"a=\"; PVEAuthCookie=b", "b"},
		{"", NULL},
		{NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *got = parse_cookie(cases[i].header, "PVEAuthCookie");

		if (!str_eq(got, cases[i].value))
			fail_msg("%s: got %s", cases[i].header, got);
	}
}

static void authorizations(void **state)
{
	static const struct {
		const char *header, *ticket, *token;
	} cases[] = {
		{"PVEAPIToken=root@pam!a=1-2", NULL, "root@pam!a=1-2"},
		{"PVEAPIToken root@pam!a=1-2", NULL, "root@pam!a=1-2"},
		{"pveapitoken  root@pam!a=1-2", NULL, "root@pam!a=1-2"},
		{"PVEAuthCookie=PVE:x", "PVE:x", NULL},
		{"Basic cm9vdA==", NULL, NULL},
		{"PVEAPIToken", NULL, NULL},
		{"PVEAPITokenX=1", NULL, NULL},
		{"", NULL, NULL},
		{NULL, NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *ticket = NULL, *token = NULL;

		parse_authorization(cases[i].header, &ticket, &token);
		if (!str_eq(ticket, cases[i].ticket) || !str_eq(token, cases[i].token))
			fail_msg("%s: got %s %s", cases[i].header, ticket, token);
	}
}

static void content_types(void **state)
{
	static const struct {
		const char *header;
		enum body_type type;
	} cases[] = {
		{NULL, BODY_TYPE_NONE},
		{"", BODY_TYPE_NONE},
		{"application/x-www-form-urlencoded", BODY_TYPE_FORM},
		{"Application/JSON; charset=utf-8", BODY_TYPE_JSON},
		{"application/json;charset=utf-8", BODY_TYPE_JSON},
		{"multipart/form-data; boundary=x", BODY_TYPE_MULTIPART},
		{"application/jsonx", BODY_TYPE_OTHER},
		{"text/plain", BODY_TYPE_OTHER},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (parse_content_type(cases[i].header) != cases[i].type)
			fail_msg("%s", cases[i].header);
}

static void encodings(void **state)
{
	static const struct {
		const char *header;
		bool accepts;
	} cases[] = {
		{NULL, false},		 {"", false},
		{"gzip", true},		 {"deflate, gzip;q=1.0, *;q=0.5", true},
		{"deflate,gzip", true},	 {"gzip;q=0", false},
		{"gzip;q=0.000", false}, {"gzip;q=0.5", true},
		{"gzip ; q=0", false},	 {"identity", false},
		{"xgzip", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (parse_accepts_gzip(cases[i].header) != cases[i].accepts)
			fail_msg("%s", cases[i].header);
}

#define SIGNATURE "tQ1XW2eYcz0VxfVq8v0nY2n9rC0Jr6b5Kp3u8wE7a+/"

static void tickets(void **state)
{
	static const struct {
		const char *text;
		bool is_one;
	} cases[] = {
		{"PVE:root@pam:65F1A2B3::" SIGNATURE "=", true},
		{"PVE:root@pam:65F1A2B3::" SIGNATURE, true},
		{"PVE:root@pam:65F1A2B3::" SIGNATURE "==", false},
		{"PVE:root@pam:65F1A2B3::" SIGNATURE "A", false},
		{"PVE:root@pam:65F1A2B3::hunter2", false},
		{"PVE:root@pam:65F1A2B3::", false},
		{"PVE:root@pam:65F1A2B3:" SIGNATURE "=", false},
		{"PVE:root@pam:65F1A2B::" SIGNATURE "=", false},
		{"PVE:root@pam:65F1A2B3C::" SIGNATURE "=", false},
		{"PVE:root@pam:65f1a2b3::" SIGNATURE "=", false},
		{"PVE:root:65F1A2B3::" SIGNATURE "=", false},
		{"PVE::65F1A2B3::" SIGNATURE "=", false},
		{"PVE:root@pam", false},
		{"PVE:", false},
		{"", false},
		{" PVE:root@pam:65F1A2B3::" SIGNATURE "=", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (parse_is_ticket(cases[i].text) != cases[i].is_one)
			fail_msg("%s", cases[i].text);
}

static void paths(void **state)
{
	static const struct {
		const char *path;
		bool is_it;
	} cases[] = {
		{"/access/ticket", true},
		{"//access///ticket", true},
		{"/access/ticket/", true},
		{"/access/ticket//", true},
		{"/access/ticket/x", false},
		{"/access/tickets", false},
		{"/access/ticke", false},
		{"/access", false},
		{"/", false},
		{"/x/access/ticket", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (parse_path_is(cases[i].path, "access/ticket") != cases[i].is_it)
			fail_msg("%s", cases[i].path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),	 cmocka_unit_test(tickets),
		cmocka_unit_test(paths),	 cmocka_unit_test(json),
		cmocka_unit_test(bounds),	 cmocka_unit_test(targets),
		cmocka_unit_test(cookies),	 cmocka_unit_test(authorizations),
		cmocka_unit_test(content_types), cmocka_unit_test(encodings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
