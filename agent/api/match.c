/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the route of a request: a tree with one level per path component, binary search in each
 * level. Pure; used on the core's loop. */
#include "agent/api/match.h"

#include <string.h>

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define SEGMENTS_MAX 16
#define VERBS	     4

struct span {
	const char *at;
	size_t size;
};

struct node {
	char *name;		/* the literal component; NULL for the root and for parameters */
	struct node **children; /* by name */
	size_t count;
	struct node *any; /* the child for a parameter */
	bool any_is_rest; /* that parameter takes all that is left of the path */
	const struct api_route *routes[VERBS];
};

struct api_matcher {
	struct node root;
};

static const char *const verb_names[VERBS] = {
	[API_GET] = "GET", [API_POST] = "POST", [API_PUT] = "PUT", [API_DELETE] = "DELETE"};

static const char rest_name[] = "{volume}";

const char *api_verb_name(enum api_verb verb)
{
	return verb_names[verb];
}

bool api_verb_from_name(const char *name, enum api_verb *ret)
{
	for (int i = 0; i < VERBS; i++) {
		if (str_eq(name, verb_names[i])) {
			*ret = (enum api_verb)i;
			return true;
		}
	}
	return false;
}

static bool span_next(const char **rest, struct span *ret)
{
	while (**rest == '/')
		(*rest)++;
	if (!**rest)
		return false;
	ret->at = *rest;
	ret->size = strcspn(*rest, "/");
	*rest += ret->size;
	return true;
}

static bool span_is_param(const struct span *s)
{
	return s->size > 2 && s->at[0] == '{' && s->at[s->size - 1] == '}';
}

/* Order of a span against a name; as strcmp. */
static int span_compare(const struct span *s, const char *name)
{
	int order = strncmp(s->at, name, s->size);
	return order ? order : (name[s->size] ? -1 : 0);
}

/* Index of the child of that name, or where it belongs. */
static size_t node_position(const struct node *node, const struct span *s, bool *ret_found)
{
	size_t low = 0, high = node->count;
	*ret_found = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = span_compare(s, node->children[middle]->name);
		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static struct node *node_add_param(struct node *node, const struct span *s, bool is_last)
{
	if (!node->any)
		node->any = xcalloc(1, sizeof(*node->any));
	if (is_last && s->size == strlen(rest_name) && memcmp(s->at, rest_name, s->size) == 0)
		node->any_is_rest = true;
	return node->any;
}

static struct node *node_add(struct node *node, const struct span *s)
{
	bool found;
	size_t at = node_position(node, s, &found);
	if (found)
		return node->children[at];
	node->children = xrealloc(node->children, node->count + 1, sizeof(*node->children));
	memmove(&node->children[at + 1], &node->children[at],
		(node->count - at) * sizeof(*node->children));
	struct node *child = xcalloc(1, sizeof(*child));
	child->name = xstrndup(s->at, s->size);
	node->children[at] = child;
	node->count++;
	return child;
}

static void matcher_add(struct api_matcher *matcher, const struct api_route *route)
{
	struct node *node = &matcher->root;
	const char *rest = route->path;
	struct span s;
	while (span_next(&rest, &s))
		node = span_is_param(&s) ? node_add_param(node, &s, !*rest) : node_add(node, &s);
	if (node->routes[route->verb]) {
		log_error("route %s %s is defined twice", api_verb_name(route->verb), route->path);
		abort();
	}
	node->routes[route->verb] = route;
}

struct api_matcher *api_matcher_new(const struct api_table *const *tables)
{
	struct api_matcher *matcher = xcalloc(1, sizeof(*matcher));
	for (; *tables; tables++) {
		for (size_t i = 0; i < (*tables)->count; i++)
			matcher_add(matcher, &(*tables)->routes[i]);
	}
	return matcher;
}

static void node_fini(struct node *node)
{
	for (size_t i = 0; i < node->count; i++) {
		node_fini(node->children[i]);
		free(node->children[i]);
	}
	if (node->any)
		node_fini(node->any);
	free(node->any);
	free(node->children);
	free(node->name);
}

void api_matcher_free(struct api_matcher *matcher)
{
	if (!matcher)
		return;
	node_fini(&matcher->root);
	free(matcher);
}

/* The values of a template's parameters, in order, get the names that this template gives them. */
static void name_values(const char *path_template, const struct span *values, struct fields *ret)
{
	struct span s;
	for (const char *rest = path_template; span_next(&rest, &s);) {
		if (!span_is_param(&s))
			continue;
		autofree char *name = xstrndup(s.at + 1, s.size - 2);
		fields_add_n(ret, name, values->at, values->size);
		values++;
	}
}

const struct api_route *api_match(const struct api_matcher *matcher, enum api_verb verb,
				  const char *path, struct fields *ret_params)
{
	const struct node *node = &matcher->root;
	struct span values[SEGMENTS_MAX], s;
	size_t count = 0;
	for (const char *rest = path; span_next(&rest, &s);) {
		bool found;
		size_t at = node_position(node, &s, &found);
		if (found) {
			node = node->children[at];
			continue;
		}
		if (!node->any || count == SEGMENTS_MAX)
			return NULL;
		if (node->any_is_rest) {
			s.size = strlen(s.at);
			rest = s.at + s.size;
		}
		values[count++] = s;
		node = node->any;
	}
	const struct api_route *route = node->routes[verb];
	if (route)
		name_values(route->path, values, ret_params);
	return route;
}

void api_match_children(const struct api_matcher *matcher, const char *path_template,
			void (*fn)(const char *name, void *ctx), void *ctx)
{
	const struct node *node = &matcher->root;
	struct span s;
	for (const char *rest = path_template; span_next(&rest, &s);) {
		bool found = false;
		size_t at = span_is_param(&s) ? 0 : node_position(node, &s, &found);
		node = found ? node->children[at] : node->any;
		if (!node)
			return;
	}
	for (size_t i = 0; i < node->count; i++)
		fn(node->children[i]->name, ctx);
}
