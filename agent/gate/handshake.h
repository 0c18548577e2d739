/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's half of the WebSocket handshake (RFC 6455, section 4.2). Pure, fuzzed. */
#pragma once

#include <stdbool.h>

#include "agent/base/err.h"

#define HANDSHAKE_VERSION     "13"
#define HANDSHAKE_PROTOCOL    "binary"
#define HANDSHAKE_ACCEPT_SIZE 29 /* base64 of a SHA-1, with the NUL */

/* Header values as they came, NULL where not sent; what came in several lines is joined by commas. */
struct handshake {
	const char *http; /* "HTTP/1.1" */
	const char *upgrade;
	const char *connection;
	const char *version;
	const char *key;
	const char *protocols;
	const char *origin;
	const char *host;
};

struct handshake_answer {
	char accept[HANDSHAKE_ACCEPT_SIZE]; /* Sec-WebSocket-Accept */
	bool is_binary;			    /* the client offered HANDSHAKE_PROTOCOL */
};

/* Is WebSocket among the protocols of an Upgrade header? NULL: no. */
bool handshake_is_wanted(const char *upgrade);
/* ERR_UNSUPPORTED: another version (status 426), ERR_DENIED: a page of another origin (403),
 * ERR_INVALID: no handshake (400). */
int handshake_check(const struct handshake *h, struct handshake_answer *ret, struct err *err);
