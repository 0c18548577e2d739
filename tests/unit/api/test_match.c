/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Path templates: which route a path finds, and the parameters that come out of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/api/match.h"

#define ROUTE(v, p)                                                                                \
	{                                                                                          \
		.verb = v, .path = p                                                               \
	}

static const struct api_route first[] = {
	ROUTE(API_GET, "/"),
	ROUTE(API_GET, "/version"),
	ROUTE(API_GET, "/nodes"),
	ROUTE(API_GET, "/nodes/{node}"),
	ROUTE(API_GET, "/nodes/{node}/lxc"),
	ROUTE(API_POST, "/nodes/{node}/lxc"),
	ROUTE(API_DELETE, "/nodes/{node}/lxc/{vmid}"),
	ROUTE(API_PUT, "/nodes/{node}/lxc/{vmid}/config"),
};
static const struct api_route second[] = {
	ROUTE(API_GET, "/nodes/{node}/storage/{storage}/content"),
	ROUTE(API_GET, "/nodes/{node}/storage/{storage}/content/{volume}"),
	ROUTE(API_GET, "/access/users/{userid}"),
	ROUTE(API_GET, "/access/users/{userid}/token"),
	ROUTE(API_GET, "/access/users/{owner}/token/{tokenid}"),
	ROUTE(API_GET, "/access/users/extra"),
};
static const struct api_table first_table = {first, ARRAY_SIZE(first)};
static const struct api_table second_table = {second, ARRAY_SIZE(second)};
static const struct api_table *const tables[] = {&first_table, &second_table, NULL};

static const struct {
	enum api_verb verb;
	const char *path;
	const char *route;  /* NULL: none */
	const char *params; /* "name=value,…" */
} cases[] = {
	{API_GET, "/", "/", ""},
	{API_GET, "", "/", ""},
	{API_GET, "/version", "/version", ""},
	{API_GET, "/version/", "/version", ""},
	{API_GET, "/versio", NULL, ""},
	{API_GET, "/versions", NULL, ""},
	{API_POST, "/version", NULL, ""},
	{API_GET, "/nodes/n1", "/nodes/{node}", "node=n1,"},
	{API_GET, "/nodes/n1/lxc", "/nodes/{node}/lxc", "node=n1,"},
	{API_POST, "/nodes/n1/lxc", "/nodes/{node}/lxc", "node=n1,"},
	{API_PUT, "/nodes/n1/lxc", NULL, ""},
	{API_DELETE, "/nodes/n1/lxc/101", "/nodes/{node}/lxc/{vmid}", "node=n1,vmid=101,"},
	{API_GET, "/nodes/n1/lxc/101", NULL, ""},
	{API_PUT, "/nodes/n1/lxc/101/config", "/nodes/{node}/lxc/{vmid}/config",
	 "node=n1,vmid=101,"},
	{API_PUT, "/nodes/n1/lxc/101/config/more", NULL, ""},
	{API_GET, "/nodes/{node}/lxc", "/nodes/{node}/lxc", "node={node},"},
	{API_GET, "/nodes/n1/storage/local/content", "/nodes/{node}/storage/{storage}/content",
	 "node=n1,storage=local,"},
	{API_GET, "/nodes/n1/storage/local/content/local:iso/a/b.iso",
	 "/nodes/{node}/storage/{storage}/content/{volume}",
	 "node=n1,storage=local,volume=local:iso/a/b.iso,"},
	{API_GET, "/access/users/a@pve", "/access/users/{userid}", "userid=a@pve,"},
	{API_GET, "/access/users/a@pve/token/t1", "/access/users/{owner}/token/{tokenid}",
	 "owner=a@pve,tokenid=t1,"},
	{API_GET, "/access/users/extra", "/access/users/extra", ""},
	{API_GET, "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t", NULL, ""},
};

static void test_cases(void **state)
{
	(void)state;
	struct api_matcher *matcher = api_matcher_new(tables);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofields params = FIELDS_INIT;
		autobuf text = BUF_INIT;
		const struct api_route *route =
			api_match(matcher, cases[i].verb, cases[i].path, &params);
		for (size_t p = 0; p < params.count; p++)
			buf_addf(&text, "%s=%s,", params.items[p].name, params.items[p].value);
		assert_string_equal(route ? route->path : "-",
				    cases[i].route ? cases[i].route : "-");
		assert_string_equal(buf_str(&text), cases[i].params);
		if (route)
			assert_int_equal(route->verb, cases[i].verb);
	}
	api_matcher_free(matcher);
}

static void add_name(const char *name, void *ctx)
{
	buf_addf(ctx, "%s,", name);
}

static void test_children(void **state)
{
	(void)state;
	static const struct {
		const char *path, *children;
	} of[] = {{"/", "access,nodes,version,"},
		  {"/nodes/{node}", "lxc,storage,"},
		  {"/access/users", "extra,"},
		  {"/nodes/{node}/storage/{storage}", "content,"},
		  {"/nowhere/at/all", ""}};
	struct api_matcher *matcher = api_matcher_new(tables);
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		autobuf text = BUF_INIT;
		api_match_children(matcher, of[i].path, add_name, &text);
		assert_string_equal(buf_str(&text), of[i].children);
	}
	api_matcher_free(matcher);
}

static void test_verbs(void **state)
{
	(void)state;
	enum api_verb verb = API_GET;
	assert_true(api_verb_from_name("DELETE", &verb));
	assert_int_equal(verb, API_DELETE);
	assert_false(api_verb_from_name("PATCH", &verb));
	assert_false(api_verb_from_name("get", &verb));
	assert_false(api_verb_from_name(NULL, &verb));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_children),
		cmocka_unit_test(test_verbs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
