/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a raw credential to an identity. Runs in the core's loop for every call; the configuration
 * is asked each time, so that a user who was disabled or deleted is out at once. No error says
 * which part of a credential was wrong. */
#include <string.h>

#include "agent/auth/access_internal.h"
#include "agent/auth/token.h"
#include "agent/base/str.h"

#define TEXT_NO_TICKET "No ticket"
#define TEXT_TICKET    "permission denied - invalid PVE ticket"
#define TEXT_CSRF      "Permission denied - invalid csrf token"
#define TEXT_TOKEN     "invalid token value!"

static bool is_in_time(uint64_t expire, uint64_t now)
{
	return expire == 0 || expire > now;
}

bool access_user_is_enabled(const struct access *access, const char *userid, uint64_t now)
{
	const struct cfg_user *user = map_get(access->cfg->users, userid);

	return user && user->enable && is_in_time(user->expire, now);
}

const struct cfg_token *access_token_in_time(const struct access *access, const char *tokenid,
					     uint64_t now)
{
	const struct cfg_token *token = map_get(access->cfg->tokens, tokenid);

	return token && is_in_time(token->expire, now) ? token : NULL;
}

/* Not 0 for a token that has a secret. */
static uint64_t token_mark(const struct access *access, const char *tokenid)
{
	const char *digest = secrets_get(access->tokens, tokenid);
	uint64_t mark = 0;

	return digest && str_hex_to_u64(digest, 16, &mark) ? mark | 1 : 0;
}

static int authenticate_token(struct access *access, const char *text, uint64_t now,
			      struct identity *ret, struct err *err)
{
	struct identity who = {.is_token = true};
	const struct cfg_token *token;
	const char *secret;
	bool is_match;

	if (!token_split(text, who.tokenid, &secret) || !tokenid_owner(who.tokenid, who.userid))
		return err_set(err, ERR_AUTH, TEXT_TOKEN);
	token = access_token_in_time(access, who.tokenid, now);
	is_match = token_secret_matches(secret,
					token ? secrets_get(access->tokens, who.tokenid) : NULL);
	if (!is_match || !access_user_is_enabled(access, who.userid, now))
		return err_set(err, ERR_AUTH, TEXT_TOKEN);
	who.has_privsep = token->privsep;
	who.proof = token_mark(access, who.tokenid);
	*ret = who;
	return 0;
}

/* A time beyond the skew is of a clock that was wrong: it must not lock the user out until then. */
static uint64_t tickets_since(const struct access *access, const char *userid, uint64_t now)
{
	uint64_t since = shadow_since(access->shadow, userid);

	return since <= now + TICKET_SKEW ? since : 0;
}

/* Made before the user's password was changed, or logged out everywhere. */
static bool is_revoked(const struct access *access, const struct identity *who, uint64_t now)
{
	return who->valid_until - TICKET_LIFE < tickets_since(access, who->userid, now);
}

static int authenticate_ticket(struct access *access, const struct credential *cred,
			       bool needs_csrf, uint64_t now, struct identity *ret, struct err *err)
{
	struct identity who = {0};

	if (!access->has_key || !ticket_verify(access->key, cred->ticket, now, who.userid) ||
	    !access_user_is_enabled(access, who.userid, now))
		return err_set(err, ERR_AUTH, TEXT_TICKET);
	who.valid_until = ticket_end(cred->ticket);
	if (is_revoked(access, &who, now))
		return err_set(err, ERR_AUTH, TEXT_TICKET);
	if (needs_csrf && (!cred->csrf || !csrf_verify(access->key, cred->csrf, who.userid, now)))
		return err_set(err, ERR_AUTH, TEXT_CSRF);
	who.proof = access->key_mark;
	*ret = who;
	return 0;
}

int access_authenticate(struct access *access, const struct credential *cred, bool needs_csrf,
			uint64_t now, struct identity *ret, struct err *err)
{
	if (cred->token)
		return authenticate_token(access, cred->token, now, ret, err);
	if (str_is_empty(cred->ticket))
		return err_set(err, ERR_AUTH, TEXT_NO_TICKET);
	return authenticate_ticket(access, cred, needs_csrf, now, ret, err);
}

static void end_sooner(uint64_t *until, uint64_t end)
{
	if (end && (!*until || end < *until))
		*until = end;
}

static bool refresh_token(const struct access *access, struct identity *who, uint64_t now,
			  uint64_t *until)
{
	const struct cfg_token *token = access_token_in_time(access, who->tokenid, now);

	if (!token || token_mark(access, who->tokenid) != who->proof)
		return false;
	who->has_privsep = token->privsep;
	end_sooner(until, token->expire);
	return true;
}

static bool holds_ticket(const struct access *access, const struct identity *who, uint64_t now)
{
	return who->proof == access->key_mark && !is_revoked(access, who, now);
}

bool access_holds(const struct access *access, struct identity *who, uint64_t now,
		  uint64_t *ret_until)
{
	uint64_t until = 0;

	if (who->is_local_root) {
		*ret_until = 0;
		return true;
	}
	if (!access_user_is_enabled(access, who->userid, now))
		return false;
	const struct cfg_user *user = map_get(access->cfg->users, who->userid);
	end_sooner(&until, user->expire);
	if (who->is_token ? !refresh_token(access, who, now, &until)
			  : !holds_ticket(access, who, now))
		return false;
	*ret_until = until;
	return true;
}

bool access_refresh(const struct access *access, struct identity *who, uint64_t now,
		    uint64_t *ret_until)
{
	uint64_t until;

	if (!access_holds(access, who, now, &until) || !is_in_time(who->valid_until, now))
		return false;
	end_sooner(&until, who->valid_until);
	*ret_until = until;
	return true;
}

int access_ticket_make(struct access *access, const char *userid, uint64_t now,
		       char ret_ticket[TICKET_MAX], char ret_csrf[TICKET_MAX], struct err *err)
{
	if (!access->has_key) {
		access_key_ensure(access);
		return err_set(err, ERR_UNAVAILABLE,
			       "the key that signs tickets is not there yet, try again");
	}
	/* within the second in which others ended it must not be taken for one of them */
	uint64_t since = tickets_since(access, userid, now);

	ticket_make(access->key, userid, since > now ? since : now, ret_ticket);
	csrf_make(access->key, userid, now, ret_csrf);
	return 0;
}
