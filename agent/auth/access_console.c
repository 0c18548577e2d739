/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tickets of consoles with the cluster's key, and identities by name. Runs in the core's loop. */
#include <string.h>

#include "agent/auth/access_internal.h"
#include "agent/auth/token.h"
#include "agent/base/fd.h"
#include "agent/base/str.h"

#define TEXT_CONSOLE "permission denied - invalid PVEVNC ticket"

int access_console_ticket_make(struct access *access, const struct console_subject *subject,
			       uint64_t now, char ret[TICKET_MAX], struct err *err)
{
	uint8_t nonce[CONSOLE_TICKET_NONCE];

	if (!access->has_key) {
		access_key_ensure(access);
		return err_set(err, ERR_UNAVAILABLE,
			       "the key that signs tickets is not there yet, try again");
	}
	random_bytes(nonce, sizeof(nonce));
	console_ticket_make(access->key, subject, nonce, now, ret);
	return 0;
}

int access_console_ticket_check(struct access *access, const char *ticket,
				const struct console_subject *subject, uint64_t now,
				struct err *err)
{
	if (!access->has_key || !console_ticket_verify(access->key, ticket, subject, now))
		return err_set(err, ERR_AUTH, TEXT_CONSOLE);
	return 0;
}

int access_identity(struct access *access, const char *authid, uint64_t now, struct identity *ret,
		    struct err *err)
{
	struct identity who = {0};
	const struct cfg_token *token = NULL;

	who.is_token = tokenid_owner(authid, who.userid);
	if (who.is_token) {
		token = access_token_in_time(access, authid, now);
		if (!token || !str_copy(who.tokenid, sizeof(who.tokenid), authid))
			return err_set(err, ERR_AUTH, "no such user or token");
		who.has_privsep = token->privsep;
	} else if (!str_copy(who.userid, sizeof(who.userid), authid)) {
		return err_set(err, ERR_AUTH, "no such user or token");
	}
	if (!access_user_is_enabled(access, who.userid, now))
		return err_set(err, ERR_AUTH, "no such user or token");
	*ret = who;
	return 0;
}
