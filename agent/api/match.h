/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Path templates of the route tables as a tree of path components. Literal components win over
 * "{name}". A parameter that is named "volume" and ends its template takes the rest of the path,
 * slashes included. Built once, never changed. */
#pragma once

#include "agent/api/api.h"

struct api_matcher;

/* tables: NULL-terminated; borrowed for the life of the matcher. Two routes of the same verb and
 * path are a bug and abort. */
struct api_matcher *api_matcher_new(const struct api_table *const *tables);
void api_matcher_free(struct api_matcher *matcher);
/* The route for a decoded path, its path parameters appended to ret_params; NULL if there is none. */
const struct api_route *api_match(const struct api_matcher *matcher, enum api_verb verb,
				  const char *path, struct fields *ret_params);
/* Calls fn for each literal component right below a template, in byte order. */
void api_match_children(const struct api_matcher *matcher, const char *path_template,
			void (*fn)(const char *name, void *ctx), void *ctx);

/* The matcher over api_tables. */
const struct api_matcher *api_routes(void);

const char *api_verb_name(enum api_verb verb); /* "GET" */
bool api_verb_from_name(const char *name, enum api_verb *ret);
