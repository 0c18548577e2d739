/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a viewer of a terminal sends: a line "USER:TICKET", then frames "0:LENGTH:DATA", "1:COLS:ROWS:" and
 * "2". A streaming parser: nothing but the line and a frame's numbers is ever kept. Pure; fuzzed. */
#pragma once

#include <stddef.h>

#include "agent/base/err.h"

#define TERMPROXY_LOGIN_MAX 768		   /* user, ticket, ':' and the NUL */
#define TERMPROXY_DATA_MAX  (1024u * 1024) /* of one frame */
#define TERMPROXY_SIDE_MAX  4096u	   /* columns, rows */

enum termproxy_kind { TERMPROXY_LOGIN, TERMPROXY_DATA, TERMPROXY_SIZE, TERMPROXY_PING };

struct termproxy_event {
	enum termproxy_kind kind;
	const char *
		data; /* LOGIN: the line, NUL-terminated, until the next call. DATA: inside the input */
	size_t size;
	unsigned cols, rows; /* SIZE; neither is 0 */
};

struct termproxy {
	int state;
	unsigned numbers[2], digits;
	size_t left; /* bytes of data still to come */
	size_t line_size;
	char line[TERMPROXY_LOGIN_MAX];
};

void termproxy_init(struct termproxy *p);
/* Takes bytes from the front of input; *ret_used says how many. 1: an event, 0: all was taken and there is none,
 * -ERR_INVALID: not of this protocol, or beyond a bound; nothing more can be read. */
int termproxy_next(struct termproxy *p, const char *input, size_t size, size_t *ret_used,
		   struct termproxy_event *ret, struct err *err);
