/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Access control: who a credential belongs to, and what that identity may do. State is the store's
 * /user.cfg and /priv/{shadow.cfg,token.cfg,authkey}; parsed copies are kept by subscription.
 * Runs on the core's loop; hashing of passwords is done by helper processes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/clock.h"
#include "agent/base/err.h"
#include "agent/base/json.h"
#include "cluster/store.h"

#define USERID_MAX  128
#define TICKET_MAX  512
#define TICKET_LIFE (7200ull) /* seconds */

struct access;

struct identity {
	char userid[USERID_MAX];  /* "admin@pve"; "root@pam" for local root */
	char tokenid[USERID_MAX]; /* "admin@pve!ci" for API tokens, else "" */
	bool is_local_root;	  /* came over the core's own socket as uid 0 */
	bool is_token;
	bool has_privsep;     /* token rights = user's rights and the token's own ACL */
	uint64_t valid_until; /* wall clock, seconds: the end of the ticket; 0: no such end */
	uint64_t proof; /* marks the key or token secret that the credential was checked with */
};

/* Raw credentials as the client sent them; absent ones are NULL. */
struct credential {
	const char *ticket; /* decoded cookie or "PVEAuthCookie=" header value */
	const char *csrf;
	const char *token; /* "user@realm!id=UUID" */
};

int access_new(struct store *store, struct access **ret, struct err *err);
void access_free(struct access *access);

/* Verifies ticket or token, in constant time (half a microsecond: nothing to cache). needs_csrf:
 * also the CSRF token, for tickets only. now: wall clock seconds. ERR_AUTH with the contract's text:
 * "No ticket", "permission denied - invalid PVE ticket", "Permission denied - invalid csrf token",
 * "invalid token value!". A user who is disabled, expired or gone is refused at once, and so are tickets
 * made before the password was changed or the user was logged out everywhere (shadow.h). */
int access_authenticate(struct access *access, const struct credential *cred, bool needs_csrf,
			uint64_t now, struct identity *ret, struct err *err);

/* A new ticket and its CSRF token for a user whose password was just verified. */
int access_ticket_make(struct access *access, const char *userid, uint64_t now,
		       char ret_ticket[TICKET_MAX], char ret_csrf[TICKET_MAX], struct err *err);

/* Privileges are bits of a set; names are the contract's ("VM.Audit"). */
typedef uint64_t privset;
int privset_from_names(const char *names /* separated by space, comma or | */, privset *ret,
		       struct err *err);
void privset_to_json_object(privset set, bool propagate, struct json *j); /* {"VM.Audit":1,…} */
const char *priv_name(unsigned bit);					  /* NULL past the last */

/* The privileges of an identity on a path ("/vms/101"), ACL inheritance, groups, roles and token
 * separation resolved. root@pam has all. Cached until the configuration changes. */
privset access_privileges(struct access *access, const struct identity *who, const char *path);
/* 0, or ERR_DENIED "Permission check failed (/vms/100, VM.Audit)". any: one of them is enough. */
int access_check(struct access *access, const struct identity *who, const char *path, privset need,
		 bool any, struct err *err);
/* For what outlives a request (event streams): whether the credential behind an identity that was
 * authenticated before still holds. false: ticket, user or token ended, or are gone, or the key or
 * token's secret is another one now. Takes over a changed privilege separation. *ret_until: wall clock,
 * seconds, when it will end by itself as things are; 0: never. */
bool access_refresh(const struct access *access, struct identity *who, uint64_t now,
		    uint64_t *ret_until);
/* The same for what may outlast the ticket that opened it (consoles, programs in containers): that its time is over
 * ends nothing, and *ret_until says nothing of it. */
bool access_holds(const struct access *access, struct identity *who, uint64_t now,
		  uint64_t *ret_until);
/* Has every privilege on every path, whatever the configuration says. */
bool access_is_unlimited(const struct identity *who);
/* The same as a question: does the identity have any of these privileges ("VM.Audit|VM.Console") there? Names that
 * there are not: false. */
bool access_may(struct access *access, const struct identity *who, const char *path,
		const char *privs);
bool access_user_is_enabled(const struct access *access, const char *userid, uint64_t now);
uint64_t access_generation(const struct access *access); /* changes with every change of rights */
/* Changes when a guest gets into a pool or out of one. */
uint64_t access_pools_generation(const struct access *access);
/* The pool of a guest, or NULL. Borrowed until the loop runs again. */
const char *access_pool_of(const struct access *access, unsigned vmid);

struct console_subject; /* agent/auth/ticket.h */
/* A ticket that lets this user or token use one console for the next 40 s. */
int access_console_ticket_make(struct access *access, const struct console_subject *subject,
			       uint64_t now, char ret[TICKET_MAX], struct err *err);
/* ERR_AUTH, which does not say what was wrong. */
int access_console_ticket_check(struct access *access, const char *ticket,
				const struct console_subject *subject, uint64_t now,
				struct err *err);
/* The identity of a user or token that may act now; ERR_AUTH otherwise. */
int access_identity(struct access *access, const char *authid, uint64_t now, struct identity *ret,
		    struct err *err);
