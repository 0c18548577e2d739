/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of ours and of others. Runs in the gate. */
#include "agent/gate/origin.h"

#include <string.h>
#include <strings.h>

#include "agent/base/str.h"

#define SCHEME "https://"
#define PORT   "443" /* of SCHEME */

/* "host", "host:port", "[::1]:port": where the port begins, or the end */
static const char *port_of(const char *authority)
{
	const char *end = strrchr(authority, ']'), *colon = strrchr(authority, ':');

	return colon && (!end || colon > end) ? colon : authority + strlen(authority);
}

static const char *port_number(const char *port)
{
	return port[0] == ':' && port[1] != '\0' ? port + 1 : PORT;
}

static bool is_same_authority(const char *a, const char *b)
{
	const char *a_port = port_of(a), *b_port = port_of(b);
	size_t n = (size_t)(a_port - a);

	return n > 0 && n == (size_t)(b_port - b) && strncasecmp(a, b, n) == 0 &&
	       str_eq(port_number(a_port), port_number(b_port));
}

bool origin_is_own(const char *origin, const char *host)
{
	size_t n = strlen(SCHEME);

	return host && strncasecmp(origin, SCHEME, n) == 0 && is_same_authority(origin + n, host);
}

static bool is_reading(const char *verb)
{
	return str_eq(verb, "GET") || str_eq(verb, "HEAD");
}

/* "none": the user, not a page; such a request carries no Origin. */
static bool is_own_site(const struct origin *o)
{
	if (!o->fetch_site)
		return !o->origin;
	return str_eq(o->fetch_site, "same-origin") ||
	       (!o->origin && str_eq(o->fetch_site, "none"));
}

int origin_check(const struct origin *o, struct err *err)
{
	if (!o->has_cookie || is_reading(o->verb) || is_own_site(o) ||
	    (o->origin && origin_is_own(o->origin, o->host)))
		return 0;
	if (o->origin)
		return err_set(
			err, ERR_DENIED,
			"a page of another origin (%.200s) must not change anything here; a proxy "
			"has to pass the header Host on",
			o->origin);
	return err_set(
		err, ERR_DENIED,
		"a page of another site must not change anything here (Sec-Fetch-Site: %.50s)",
		o->fetch_site);
}
