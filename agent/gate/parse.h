/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes over the network, cut into fields. Pure, bounded, fuzzed. Errors are ERR_INVALID with
 * a text for the client. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"
#include "agent/base/fields.h"

/* The request target up to '?': decoded once into *ret_path; the rest is the raw query ("" if none). */
int parse_target(const char *target, char **ret_path, const char **ret_query, struct err *err);
/* "a=1&b=2;c": query or form body. '+' is a space. "_dc" is left out. */
int parse_form(const char *text, size_t size, struct fields *ret, struct err *err);
/* A flat JSON object: strings, numbers, booleans (true is 1), arrays of these repeat the name, null is
 * left out. */
int parse_json(const char *text, size_t size, struct fields *ret, struct err *err);
/* The value of a cookie, URL-decoded (heap), or NULL. */
char *parse_cookie(const char *header, const char *name);
/* "Authorization": sets ticket or token (heap) where the scheme is known; anything else: neither. */
void parse_authorization(const char *header, char **ret_ticket, char **ret_token);

/* "PVE:user@realm:XXXXXXXX::" and a signature's length of base64: looks like a ticket, whether it is one or not. */
bool parse_is_ticket(const char *text);
/* Are these the components of path, however many slashes are between them? names: "access/ticket". */
bool parse_path_is(const char *path, const char *names);

enum body_type {
	BODY_TYPE_NONE,
	BODY_TYPE_FORM,
	BODY_TYPE_JSON,
	BODY_TYPE_MULTIPART,
	BODY_TYPE_OTHER
};
enum body_type parse_content_type(const char *header); /* NULL: NONE */
bool parse_accepts_gzip(const char *header);
