/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tickets and CSRF tokens. Pure; runs in the core. The kinds are told apart inside the HMAC, so that none
 * can stand for another. */
#include "agent/auth/ticket.h"

#include <stdio.h>
#include <string.h>

#include "agent/auth/usercfg.h"
#include "agent/base/buf.h"
#include "agent/base/digest.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define TIME_DIGITS  8
#define MARK	     "PVE:"
#define MARK_CONSOLE "PVEVNC:"

static void sign(const uint8_t key[TICKET_KEY_SIZE], const char *kind, const char *userid,
		 const char *stamp, struct buf *out)
{
	autofree char *text = xasprintf("%s\n%s\n%s", kind, userid, stamp);
	uint8_t mac[SHA256_SIZE];

	digest_hmac_sha256(key, TICKET_KEY_SIZE, text, strlen(text), mac);
	base64_encode(mac, sizeof(mac), out);
}

static void stamp_format(uint64_t now, char ret[TIME_DIGITS + 1])
{
	snprintf(ret, TIME_DIGITS + 1, "%08X", (unsigned)(now & UINT32_MAX));
}

/* The eight digits in front of `text`, if the time is one that counts now. */
static bool stamp_parse(const char *text, uint64_t now, uint64_t life, char ret[TIME_DIGITS + 1])
{
	uint64_t made;

	if (strspn(text, "0123456789ABCDEF") != TIME_DIGITS ||
	    !str_hex_to_u64(text, TIME_DIGITS, &made))
		return false;
	if (made > now + TICKET_SKEW || made + life <= now)
		return false;
	memcpy(ret, text, TIME_DIGITS);
	ret[TIME_DIGITS] = '\0';
	return true;
}

void ticket_make(const uint8_t key[TICKET_KEY_SIZE], const char *userid, uint64_t now,
		 char ret[TICKET_MAX])
{
	autobuf mac = BUF_INIT;
	char stamp[TIME_DIGITS + 1];

	stamp_format(now, stamp);
	sign(key, "ticket", userid, stamp, &mac);
	snprintf(ret, TICKET_MAX, MARK "%.*s:%s::%s", USERID_MAX - 1, userid, stamp, buf_str(&mac));
}

bool ticket_verify(const uint8_t key[TICKET_KEY_SIZE], const char *ticket, uint64_t now,
		   char ret_userid[USERID_MAX])
{
	autobuf mac = BUF_INIT;
	char userid[USERID_MAX], stamp[TIME_DIGITS + 1];
	const char *at = strnlen(ticket, TICKET_MAX) < TICKET_MAX ? str_after(ticket, MARK) : NULL;
	size_t size = at ? strcspn(at, ":") : 0;

	if (size == 0 || size >= sizeof(userid) || at[size] != ':' ||
	    !stamp_parse(at + size + 1, now, TICKET_LIFE, stamp))
		return false;
	memcpy(userid, at, size);
	userid[size] = '\0';
	at = str_after(at + size + 1 + TIME_DIGITS, "::");
	if (!at)
		return false;
	sign(key, "ticket", userid, stamp, &mac);
	if (!str_eq_constant_time(buf_str(&mac), at))
		return false;
	memcpy(ret_userid, userid, sizeof(userid));
	return true;
}

uint64_t ticket_end(const char *ticket)
{
	const char *at = str_after(ticket, MARK);
	const char *stamp = at ? strchr(at, ':') : NULL;
	uint64_t made;

	return stamp && str_hex_to_u64(stamp + 1, TIME_DIGITS, &made) ? made + TICKET_LIFE : 0;
}

void csrf_make(const uint8_t key[TICKET_KEY_SIZE], const char *userid, uint64_t now,
	       char ret[TICKET_MAX])
{
	autobuf mac = BUF_INIT;
	char stamp[TIME_DIGITS + 1];

	stamp_format(now, stamp);
	sign(key, "csrf", userid, stamp, &mac);
	snprintf(ret, TICKET_MAX, "%s:%s", stamp, buf_str(&mac));
}

bool csrf_verify(const uint8_t key[TICKET_KEY_SIZE], const char *csrf, const char *userid,
		 uint64_t now)
{
	autobuf mac = BUF_INIT;
	char stamp[TIME_DIGITS + 1];

	if (strnlen(csrf, TICKET_MAX) >= TICKET_MAX ||
	    !stamp_parse(csrf, now, TICKET_LIFE, stamp) || csrf[TIME_DIGITS] != ':')
		return false;
	sign(key, "csrf", userid, stamp, &mac);
	return str_eq_constant_time(buf_str(&mac), csrf + TIME_DIGITS + 1);
}

/* base64 of the nonce and the HMAC over everything that the ticket is bound to. */
static void console_seal(const uint8_t key[TICKET_KEY_SIZE], const struct console_subject *subject,
			 const uint8_t nonce[CONSOLE_TICKET_NONCE], const char *stamp,
			 struct buf *out)
{
	uint8_t sealed[CONSOLE_TICKET_NONCE + SHA256_SIZE];
	autobuf hex = BUF_INIT;

	digest_hex(nonce, CONSOLE_TICKET_NONCE, &hex);
	autofree char *text = xasprintf("console\n%s\n%s\n%u\n%s\n%s", subject->authid,
					subject->path, subject->port, buf_str(&hex), stamp);

	memcpy(sealed, nonce, CONSOLE_TICKET_NONCE);
	digest_hmac_sha256(key, TICKET_KEY_SIZE, text, strlen(text), sealed + CONSOLE_TICKET_NONCE);
	base64_encode(sealed, sizeof(sealed), out);
}

void console_ticket_make(const uint8_t key[TICKET_KEY_SIZE], const struct console_subject *subject,
			 const uint8_t nonce[CONSOLE_TICKET_NONCE], uint64_t now,
			 char ret[TICKET_MAX])
{
	autobuf seal = BUF_INIT;
	char stamp[TIME_DIGITS + 1];

	stamp_format(now, stamp);
	console_seal(key, subject, nonce, stamp, &seal);
	snprintf(ret, TICKET_MAX, MARK_CONSOLE "%s::%s", stamp, buf_str(&seal));
}

bool console_ticket_verify(const uint8_t key[TICKET_KEY_SIZE], const char *ticket,
			   const struct console_subject *subject, uint64_t now)
{
	autobuf sealed = BUF_INIT, seal = BUF_INIT;
	char stamp[TIME_DIGITS + 1];
	const char *at =
		strnlen(ticket, TICKET_MAX) < TICKET_MAX ? str_after(ticket, MARK_CONSOLE) : NULL;

	if (!at || !stamp_parse(at, now, CONSOLE_TICKET_LIFE, stamp))
		return false;
	at = str_after(at + TIME_DIGITS, "::");
	if (!at || !base64_decode(at, strlen(at), &sealed) ||
	    sealed.size != CONSOLE_TICKET_NONCE + SHA256_SIZE)
		return false;
	console_seal(key, subject, (const uint8_t *)sealed.data, stamp, &seal);
	return str_eq_constant_time(buf_str(&seal), at);
}
