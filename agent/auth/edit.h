/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of the access configuration: a change is a function that is applied to a draft; the result
 * is committed in one transaction on condition that nothing moved meanwhile, else the function is
 * applied again to what is there then (at most ACCESS_EDIT_TRIES times). Changes wait for those
 * before them. What else shall be stored in the same step comes along. Core's loop only. */
#pragma once

#include "agent/auth/access.h"
#include "agent/auth/secrets.h"
#include "agent/auth/usercfg.h"

#define ACCESS_EDIT_TRIES     8
#define ACCESS_EDIT_UNCHANGED 1

/* Private copies; the function changes them as it likes. */
struct access_draft {
	struct usercfg *cfg;
	struct secrets *shadow; /* user id -> password hash and more, see shadow.h */
	struct secrets *tokens; /* full token id -> digest of its secret */
};

struct access_edit {
	const char *who; /* for the history; copied */
	/* May be called several times; a negative error ends the change without effect. */
	int (*apply)(struct access_draft *draft, void *ctx, struct err *err);
	/* Preconditions and operations on other paths, stored together with the change, also where apply changes
	 * nothing; NULL: none. Copied. A precondition of these that does not hold ends the change: ERR_EXISTS where
	 * the path had to be absent, ERR_CONFLICT otherwise. */
	const struct store_txn *with;
	/* Called exactly once, later (from store_dispatch() or access_free()): err->code 0 means
	 * committed. */
	void (*done)(const struct err *err, void *ctx);
	void *ctx;
};

/* 0: done follows, with apply's error too if there were changes to wait for.
 * ACCESS_EDIT_UNCHANGED: the draft was left as it is, nothing to do. Otherwise apply's or the
 * store's error. Only after 0 is done called. */
int access_edit(struct access *access, const struct access_edit *edit, struct err *err);

/* The configuration as applied now; borrowed until the loop runs again. */
const struct usercfg *access_usercfg(const struct access *access);
/* NULL if the user has no password. Borrowed; a secret. */
const char *access_password_hash(const struct access *access, const char *userid);
/* See shadow_since(); changes with each change of the password. */
uint64_t access_tickets_since(const struct access *access, const char *userid);
