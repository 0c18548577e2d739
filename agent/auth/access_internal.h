/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State behind access.h, shared by its files only. */
#pragma once

#include "agent/auth/acl.h"
#include "agent/auth/edit.h"
#include "agent/auth/secrets.h"
#include "agent/auth/shadow.h"
#include "agent/auth/ticket.h"
#include "agent/auth/usercfg.h"
#include "agent/base/list.h"

#define PATH_USER_CFG	"/user.cfg"
#define PATH_PRIV	"/priv/"
#define PATH_SHADOW_CFG PATH_PRIV "shadow.cfg"
#define PATH_TOKEN_CFG	PATH_PRIV "token.cfg"
#define PATH_AUTHKEY	PATH_PRIV "authkey"

#define RIGHTS_CACHE_SLOTS 1024 /* a power of two */

/* The last answer whose key fell on this slot. */
struct rights_slot {
	char *key; /* owned; identity and path; NULL: empty */
	struct rights rights;
};

struct access {
	struct store *store;
	struct store_subscription *on_user_cfg;
	struct store_subscription *on_priv;
	/* Never NULL. What does not parse counts as empty: nobody but root@pam gets in then. */
	struct usercfg *cfg;
	struct secrets *shadow, *tokens;
	uint8_t key[TICKET_KEY_SIZE];
	uint64_t key_mark; /* tells this key from others; 0 without one */
	bool has_key;
	bool is_key_pending; /* a transaction that makes the key is under way */
	uint64_t generation, pools_generation;
	struct edit *edit_under_way; /* NULL: none */
	struct list edits;	     /* struct edit: those that wait for it */
	struct list pending;	     /* struct access_op: transactions under way */
	struct rights_slot slots[RIGHTS_CACHE_SLOTS];
};

/* A transaction under way. Its memory outlives the access object if need be: the store calls back
 * exactly once, then with access == NULL. */
struct access_op {
	struct list link;
	struct access *access;
};

void access_op_start(struct access *access, struct access_op *op);
/* In the store's callback: returns the access object, or NULL if that is gone. */
struct access *access_op_end(struct access_op *op);

/* The token, if there is one and its time has not run out. Says nothing of its user and its secret. */
const struct cfg_token *access_token_in_time(const struct access *access, const char *tokenid,
					     uint64_t now);
/* Ends the changes that wait, with an error. */
void access_edits_drop(struct access *access);
void access_rights_flush(struct access *access);
/* Starts making the key unless it is there or being made. */
void access_key_ensure(struct access *access);
/* Takes a new or absent (NULL) value of the key's path. */
void access_key_load(struct access *access, const struct store_value *value);
