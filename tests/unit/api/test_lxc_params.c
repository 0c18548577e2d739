/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every container route with every parameter wrong: by type, bound, choice, format and name. Made from the route
 * tables themselves, so that none is forgotten. Each must be refused with the parameter's name and a reason, start
 * no job and leave the stored configuration as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/api/match.h"
#include "agent/guest/guest.h"
#include "tests/unit/api/lxc_test.h"

#define LENGTH_MAX 300000

/* Texts that may be anything here; what is wrong with them is a matter of the handler (test_lxc_create). */
static const char *const free_texts[] = {"ssh-public-keys", NULL};

struct walk {
	const struct api_route *route;
	const char *verb;
	char path[256];
	unsigned routes, values;
};

static bool is_in_path(const struct api_route *route, const char *name)
{
	autofree char *part = xasprintf("{%s}", name);

	return strstr(route->path, part) != NULL;
}

static void fill_path(struct walk *w)
{
	autostrv char **parts = str_split(w->route->path, "/");

	w->path[0] = '\0';
	for (char **part = parts; *part; part++) {
		const char *value = str_eq(*part, "{node}")   ? NODE
				    : str_eq(*part, "{vmid}") ? "101"
				    : **part == '{'	      ? "x"
							      : *part;
		size_t n = strlen(w->path);

		snprintf(w->path + n, sizeof(w->path) - n, "/%s", value);
	}
}

static size_t count_tasks(void)
{
	size_t n = 0;

	for (const struct task *t = jobs_next(core.jobs, NULL); t; t = jobs_next(core.jobs, t))
		n++;
	return n;
}

static void send_params(struct walk *w, const struct fields *params, unsigned *ret_status,
			struct buf *ret)
{
	struct call call = CALL_INIT;
	struct answer answer = {0};
	struct err err = ERR_INIT;

	call.op = CALL_API;
	fields_add(&call.head, "verb", w->verb);
	fields_add(&call.head, "path", w->path);
	fields_copy(&call.params, params);
	assert_int_equal(conn_call(client, &call, on_reply, &answer, NULL, &err), 0);
	call_fini(&call);
	run_until(&answer.done);
	*ret_status = answer.status;
	*ret = answer.body;
}

static char *real_name(const char *name)
{
	char *copy = xstrdup(name), *bracket = strchr(copy, '[');

	if (bracket)
		memcpy(bracket, "0", 2);
	return copy;
}

/* One wrong value; the answer must name it. */
static void refuse(struct walk *w, const char *name, const char *value, const char *why)
{
	autofields params = FIELDS_INIT;
	autobuf body = BUF_INIT;
	static const char quoted[] = "\"errors\":{";
	autofree char *field = xasprintf("\"%s\":\"", name);
	size_t tasks = count_tasks();
	unsigned status;

	fields_add(&params, name, value);
	send_params(w, &params, &status, &body);
	if (status != 400 || !strstr(buf_str(&body), quoted) || !strstr(buf_str(&body), field) ||
	    !strstr(buf_str(&body), "Parameter verification failed."))
		fail_msg("%s %s, %s: %s='%.60s': %u %s", w->verb, w->path, why, name, value, status,
			 buf_str(&body));
	assert_int_equal(count_tasks(), tasks);
	expect_stored(STOPPED_CONFIG);
	w->values++;
}

static void refuse_bounds(struct walk *w, const struct param *p, const char *name)
{
	autofree char *below = xasprintf("%.0f", p->min - 1),
		      *above = xasprintf("%.0f", p->max + 1);

	if (p->has_min)
		refuse(w, name, below, "below its bound");
	if (p->has_max)
		refuse(w, name, above, "above its bound");
}

static void refuse_lengths(struct walk *w, const struct param *p, const char *name)
{
	autofree char *text = xcalloc(LENGTH_MAX + 1, 1);

	if (p->has_max && p->max < LENGTH_MAX) {
		memset(text, 'a', (size_t)p->max + 1);
		refuse(w, name, text, "too long");
	}
	if (p->has_min && p->min >= 1) {
		memset(text, 0, LENGTH_MAX);
		memset(text, 'a', (size_t)p->min - 1);
		refuse(w, name, text, "too short");
	}
}

static void refuse_texts(struct walk *w, const struct param *p, const char *name)
{
	if (p->choices)
		refuse(w, name, "no-such-choice", "no choice");
	if (p->pattern || p->format)
		refuse(w, name, "a\001b", "control character");
	if (p->format)
		refuse(w, name, "!!", "format");
	if (p->keys)
		refuse(w, name, "no-such-key=1", "no such key");
	if (p->keys)
		refuse(w, name, "=,=", "no property string");
	refuse_lengths(w, p, name);
}

static void refuse_values(struct walk *w, const struct param *p)
{
	autofree char *name = real_name(p->name);
	unsigned before = w->values;

	if (p->type == PARAM_STRING || p->type == PARAM_ARRAY)
		refuse_texts(w, p, name);
	else
		refuse(w, name, "zz", "type");
	if (p->type == PARAM_INTEGER || p->type == PARAM_NUMBER)
		refuse_bounds(w, p, name);
	if (w->values == before && !guest_key_is_in(free_texts, name))
		fail_msg("%s %s: nothing is wrong for '%s'", w->verb, w->path, name);
}

/* "x[n]": the number has a bound, and no zeros before it. */
static void refuse_indexes(struct walk *w, const struct param *p)
{
	size_t stem = strcspn(p->name, "[");
	autofree char *above =
		xasprintf("%.*s%u", (int)stem, p->name, p->index_max ? p->index_max : 32);
	autofree char *zeros = xasprintf("%.*s00", (int)stem, p->name);
	autofree char *none = xasprintf("%.*s", (int)stem, p->name);

	refuse(w, above, "1", "index");
	refuse(w, zeros, "1", "index");
	refuse(w, none, "1", "no index");
}

static void refuse_table(struct walk *w, const struct param *table)
{
	for (const struct param *p = table; p && p->name; p++) {
		if (is_in_path(w->route, p->name))
			continue;
		refuse_values(w, p);
		if (strchr(p->name, '['))
			refuse_indexes(w, p);
	}
}

/* What must be there, and is not. */
static void refuse_missing(struct walk *w)
{
	autofields none = FIELDS_INIT;

	for (const struct param *p = w->route->params; p && p->name; p++) {
		autofree char *text =
			xasprintf("\"%s\":\"property is missing and it is not optional\"", p->name);
		autobuf body = BUF_INIT;
		unsigned status;

		if (p->optional || is_in_path(w->route, p->name))
			continue;
		send_params(w, &none, &status, &body);
		assert_int_equal(status, 400);
		assert_non_null(strstr(buf_str(&body), text));
		w->values++;
	}
}

static void refuse_paths(struct walk *w)
{
	static const char *const ids[] = {"99", "1000000000", "abc", "-101", "101x"};
	char *at = strstr(w->path, "/101");
	autofree char *whole = xstrdup(w->path);

	for (size_t i = 0; at && i < ARRAY_SIZE(ids); i++) {
		autofields none = FIELDS_INIT;
		autobuf body = BUF_INIT;
		unsigned status;

		snprintf(w->path, sizeof(w->path), "%.*s/%s%s", (int)(at - w->path), whole, ids[i],
			 whole + (at - w->path) + strlen("/101"));
		send_params(w, &none, &status, &body);
		if (status != 400 || !strstr(buf_str(&body), "\"vmid\":\""))
			fail_msg("%s %s: %u %s", w->verb, w->path, status, buf_str(&body));
		w->values++;
	}
	str_copy(w->path, sizeof(w->path), whole);
}

static bool is_of_containers(const struct api_route *route)
{
	const char *rest = str_after(route->path, "/nodes/{node}/lxc");

	return rest && (*rest == '\0' || *rest == '/');
}

static void walk_route(struct walk *w, const struct api_route *route)
{
	w->route = route;
	w->verb = api_verb_name(route->verb);
	fill_path(w);
	w->routes++;
	refuse_paths(w);
	refuse_missing(w);
	refuse_table(w, route->params);
	refuse_table(w, route->more);
	refuse(w, "no-such-parameter", "1", "name");
	refuse(w, "Memory", "512", "name");
}

static void every_route_refuses_every_wrong_parameter(void **state)
{
	struct walk w = {0};

	(void)state;
	for (const struct api_table *const *t = api_tables; *t; t++)
		for (size_t i = 0; i < (*t)->count; i++)
			if (is_of_containers(&(*t)->routes[i]))
				walk_route(&w, &(*t)->routes[i]);
	/* the walk itself: it has found them */
	assert_true(w.routes >= 19);
	assert_true(w.values >= 300);
	print_message("%u routes, %u wrong values\n", w.routes, w.values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_route_refuses_every_wrong_parameter,
						fresh_guest, no_guest),
	};

	return cmocka_run_group_tests(tests, open_core, close_core);
}
