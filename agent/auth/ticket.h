/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tickets "PVE:user@realm:%08X::base64", CSRF tokens "%08X:base64" and tickets of consoles
 * "PVEVNC:%08X::base64": a time and an HMAC-SHA256 over it and what they are good for. Pure: key and clock
 * are passed in; comparisons take constant time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/auth/access.h"

#define TICKET_KEY_SIZE 32
#define TICKET_SKEW	300ull /* seconds that the maker's clock may be ahead */

void ticket_make(const uint8_t key[TICKET_KEY_SIZE], const char *userid, uint64_t now,
		 char ret[TICKET_MAX]);
/* false: malformed, forged or out of its time. ret_userid is what the ticket says, unchecked
 * against any configuration. */
bool ticket_verify(const uint8_t key[TICKET_KEY_SIZE], const char *ticket, uint64_t now,
		   char ret_userid[USERID_MAX]);
/* The first second in which a ticket that was verified is refused; wall clock. */
uint64_t ticket_end(const char *ticket);
void csrf_make(const uint8_t key[TICKET_KEY_SIZE], const char *userid, uint64_t now,
	       char ret[TICKET_MAX]);
bool csrf_verify(const uint8_t key[TICKET_KEY_SIZE], const char *csrf, const char *userid,
		 uint64_t now);

#define CONSOLE_TICKET_LIFE  40ull /* seconds */
#define CONSOLE_TICKET_NONCE 16

/* Whom and what a console's ticket is for. */
struct console_subject {
	const char *authid; /* user or token id */
	const char *path;   /* "/vms/101" */
	unsigned port;
};

/* No two nonces are the same, hence no two tickets. */
void console_ticket_make(const uint8_t key[TICKET_KEY_SIZE], const struct console_subject *subject,
			 const uint8_t nonce[CONSOLE_TICKET_NONCE], uint64_t now,
			 char ret[TICKET_MAX]);
bool console_ticket_verify(const uint8_t key[TICKET_KEY_SIZE], const char *ticket,
			   const struct console_subject *subject, uint64_t now);
