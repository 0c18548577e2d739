/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every parameter of every storage call: wrong by type, bound, choice, format, pattern and length, missing, and
 * unknown. Made from the route tables; each wrong value must be refused by its name and change nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/api/match.h"
#include "api_test.h"

static struct fixture f;
static unsigned tried;

static const char cfg[] = "dir: local\n\tpath /srv/local\n\tcontent iso,images,vztmpl,backup\n\n";

/* No helper or job may ever be started by a call that is refused. */
static const char helper[] =
	"#!/bin/sh\ncase \"$2\" in\nstorage-status) ;;\n*) : >\"${0%/*}/started\" ;;\nesac\n"
	"echo '{\"active\":1,\"total\":100,\"used\":25,\"avail\":75}'\n";

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
	fixture_script(&f, "lodge-task", helper);
	fixture_script(&f, "lodge-task-fetch", helper);
	fixture_start(&f);
	fixture_put(&f, "/storage.cfg", cfg);
	fixture_login(&f, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

/* Values that are right, by name; everything that is required must be here. */
static const char *const good[][2] = {
	{"storage", "local"},	   {"type", "dir"},
	{"path", "/srv/new"},	   {"content", "iso"},
	{"filename", "a.iso"},	   {"url", "http://h/a.iso"},
	{"vmid", "101"},	   {"size", "4M"},
	{"volume", "local:iso/a"}, {"template", "busybox_amd64.tar.gz"},
};

static const char *good_value(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (str_eq(good[i][0], name))
			return good[i][1];
	return NULL;
}

static bool is_in_path(const struct api_route *route, const char *name)
{
	autofree char *part = xasprintf("{%s}", name);
	return strstr(route->path, part) != NULL;
}

static void put_text(struct buf *out, const char *from, const char *text)
{
	const char *at = strstr(buf_str(out), from);
	autofree char *before = xstrndup(out->data, (size_t)(at - out->data));
	autofree char *after = xstrdup(at + strlen(from));
	buf_clear(out);
	buf_addf(out, "%s%s%s", before, text, after);
}

/* A call with all that is required, but this parameter: value NULL leaves it out. */
static char *make_call(const struct api_route *route, const char *name, const char *value)
{
	const struct param *tables[] = {route->params, route->more};
	autobuf path = BUF_INIT, query = BUF_INIT;
	buf_addf(&path, "%s %s", api_verb_name(route->verb), route->path);
	if (is_in_path(route, "node"))
		put_text(&path, "{node}", "n1");
	if (is_in_path(route, "storage"))
		put_text(&path, "{storage}", str_eq(name, "storage") ? value : "local");
	if (is_in_path(route, "volume"))
		put_text(&path, "{volume}", str_eq(name, "volume") ? value : "local:iso/a.iso");
	for (size_t t = 0; t < 2; t++)
		for (const struct param *p = tables[t]; p && p->name; p++)
			if (!p->optional && !str_eq(p->name, name) && !is_in_path(route, p->name) &&
			    !str_eq(p->name, "node"))
				buf_addf(&query, "%c%s=%s", query.size ? '&' : '?', p->name,
					 str_eq(p->name, "storage") &&
							 str_eq(route->path, "/storage")
						 ? "new"
						 : good_value(p->name));
	if (value && !is_in_path(route, name))
		buf_addf(&query, "%c%s=%s", query.size ? '&' : '?', name, value);
	buf_add_str(&path, buf_str(&query));
	return buf_steal(&path);
}

static void expect_untouched(const char *call)
{
	struct store_value value;
	assert_true(store_get(f.core.store, "/storage.cfg", &value));
	if (!str_eq(value.data, cfg))
		fail_msg("%s changed storage.cfg: %s", call, value.data);
	if (jobs_next(f.core.jobs, NULL))
		fail_msg("%s started a job", call);
	autofree char *mark = xasprintf("%s/started", f.directory);
	if (access(mark, F_OK) == 0)
		fail_msg("%s started a helper", call);
}

static void expect_refused(const struct api_route *route, const char *name, const char *value)
{
	autofree char *call = make_call(route, name, value);
	autofree char *field = xasprintf("\"%s\":", name);
	int status = fixture_call(&f, call);
	const char *body = buf_str(&f.last.body);
	if (status != 400 || !strstr(body, field))
		fail_msg("%s: %d %s", call, status, body);
	expect_untouched(call);
	tried++;
}

static void try_number(const struct api_route *route, const struct param *p)
{
	static const char *const wrong[] = {"x", "1x", "", "1e400", "0x10", "--1"};
	char text[64];
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (wrong[i][0] || p->type == PARAM_INTEGER)
			expect_refused(route, p->name, wrong[i]);
	if (p->type == PARAM_INTEGER)
		expect_refused(route, p->name, "1.5");
	if (p->has_min) {
		snprintf(text, sizeof(text), "%.0f", p->min - 1);
		expect_refused(route, p->name, text);
	}
	if (p->has_max) {
		snprintf(text, sizeof(text), "%.0f", p->max + 1);
		expect_refused(route, p->name, text);
	}
}

static void try_text(const struct api_route *route, const struct param *p)
{
	if (p->choices)
		expect_refused(route, p->name, "nonsense");
	if (p->format)
		expect_refused(route, p->name, "!wrong!\x01");
	if (p->pattern)
		expect_refused(route, p->name, "!wrong!");
	if (p->keys)
		expect_refused(route, p->name, "nonsense=1");
	if (p->has_max && p->max < 100000) {
		size_t size = (size_t)p->max + 1;
		autofree char *text = xmalloc(size + 1);
		memset(text, 'a', size);
		text[size] = '\0';
		expect_refused(route, p->name, text);
	}
}

static void try_param(const struct api_route *route, const struct param *p)
{
	if (str_eq(p->name, "node") || is_in_path(route, p->name))
		return;
	if (!p->optional)
		expect_refused(route, p->name, NULL);
	if (p->type == PARAM_BOOLEAN)
		expect_refused(route, p->name, "perhaps");
	else if (p->type == PARAM_INTEGER || p->type == PARAM_NUMBER)
		try_number(route, p);
	else
		try_text(route, p);
}

static bool is_ours(const struct api_route *route)
{
	return strstr(route->path, "/storage") || strstr(route->path, "aplinfo") ||
	       strstr(route->path, "query-url-metadata");
}

static void test_every_parameter(void **state)
{
	(void)state;
	for (size_t t = 0; api_tables[t]; t++) {
		for (size_t i = 0; i < api_tables[t]->count; i++) {
			const struct api_route *route = &api_tables[t]->routes[i];
			if (!is_ours(route))
				continue;
			for (const struct param *p = route->params; p && p->name; p++)
				try_param(route, p);
			for (const struct param *p = route->more; p && p->name; p++)
				try_param(route, p);
			if (route->verb != API_GET || route->params)
				expect_refused(route, "colour", "red");
		}
	}
	assert_true(tried > 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_parameter, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
