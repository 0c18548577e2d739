/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose page a browser's request comes from. A browser sends cookies along with what any page makes it send, and uploads
 * carry no CSRF token (forms of the contract's clients cannot), so what a cookie pays for and changes something has to
 * come from a page of ours. Programs that are no browsers say nothing of it. Pure, fuzzed. */
#pragma once

#include <stdbool.h>

#include "agent/base/err.h"

/* Header values as they came, NULL where not sent. */
struct origin {
	const char *verb;
	bool has_cookie; /* that of a ticket */
	const char *origin, *fetch_site, *host;
};

/* "https://pve.lan:8006" for the Host "pve.lan:8006" */
bool origin_is_own(const char *origin, const char *host);
/* ERR_DENIED: a page of others asks for a change with the user's cookie. Origin decides, and Sec-Fetch-Site where there
 * is none. That one also clears a page that a proxy of ours serves under a name other than the Host it passes on: no
 * script can set it. */
int origin_check(const struct origin *o, struct err *err);
