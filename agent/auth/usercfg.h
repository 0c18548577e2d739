/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parsed /user.cfg: users, groups, roles, tokens, pools, ACL. A plain model without I/O or clock; every
 * function keeps it consistent (no dangling references). Errors are the contract's texts.
 *
 * Text form, one record a line, fields separated by ':', free text percent-encoded; what a line
 * refers to stands above it:
 *   user:USERID:ENABLE:EXPIRE:FIRSTNAME:LASTNAME:EMAIL:COMMENT
 *   token:USERID!ID:EXPIRE:PRIVSEP:COMMENT
 *   group:GROUPID:MEMBERS,…:COMMENT
 *   role:ROLEID:PRIVS,…
 *   pool:POOLID:COMMENT:VMID,…:STORAGE,…
 *   acl:PATH:user|group|token:SUBJECT:ROLEID:PROPAGATE */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/auth/access.h"
#include "agent/base/buf.h"
#include "agent/base/map.h"

#define USERCFG_USERID_MAX   64			    /* characters of a user id */
#define USERCFG_NAME_MAX     64			    /* of a group, role or token id */
#define USERCFG_TEXT_MAX     4096		    /* characters of a comment or a name */
#define USERCFG_TEXT_BYTES   (4 * USERCFG_TEXT_MAX) /* the same in UTF-8 */
#define USERCFG_ACL_PATH_MAX 255
#define ROOT_USERID	     "root@pam"

struct cfg_user {
	bool enable;
	uint64_t expire;			      /* wall clock, seconds; 0: never */
	char *firstname, *lastname, *email, *comment; /* owned; NULL when empty */
};

struct cfg_token {
	uint64_t expire; /* 0: never (the user's own expiry still counts) */
	bool privsep;
	char *comment;
};

struct cfg_group {
	struct map *members; /* user id -> the struct cfg_user (borrowed) */
	char *comment;
};

struct cfg_role {
	privset privs;
	bool special; /* built in: never changed, never written */
};

/* Guests and storages that rights are given on together. A guest is in one pool at most. */
struct cfg_pool {
	char *id;
	char *comment;
	struct map *members; /* path ("/vms/101", "/storage/local") -> the pool itself */
};

enum acl_kind { ACL_USER, ACL_GROUP, ACL_TOKEN };

struct acl_entry {
	enum acl_kind kind;
	char *subject; /* owned */
	char *role;    /* owned */
	bool propagate;
};

struct acl_node { /* all entries of one path; never empty */
	struct acl_entry *items;
	size_t count;
};

struct usercfg {
	struct map *users;  /* user id -> struct cfg_user; always has root@pam */
	struct map *groups; /* group id -> struct cfg_group */
	struct map *roles;  /* role id -> struct cfg_role, the built-in ones included */
	struct map *tokens; /* full token id -> struct cfg_token */
	struct map *pools;  /* pool id -> struct cfg_pool */
	struct map *pooled; /* path of a guest -> its struct cfg_pool (borrowed) */
	struct map *acl;    /* path -> struct acl_node */
};

struct usercfg *usercfg_new(void);
void usercfg_free(struct usercfg *cfg);
int usercfg_parse(const char *text, size_t size, struct usercfg **ret, struct err *err);
void usercfg_format(const struct usercfg *cfg, struct buf *out);

static inline void usercfg_freep(struct usercfg **cfg)
{
	usercfg_free(*cfg);
}
#define autousercfg __attribute__((cleanup(usercfg_freep))) struct usercfg

/* Found, or ERR_NOT_FOUND with the contract's text. */
int usercfg_user(const struct usercfg *cfg, const char *userid, struct cfg_user **ret,
		 struct err *err);
int usercfg_group(const struct usercfg *cfg, const char *groupid, struct cfg_group **ret,
		  struct err *err);
int usercfg_role(const struct usercfg *cfg, const char *roleid, struct cfg_role **ret,
		 struct err *err);
int usercfg_token(const struct usercfg *cfg, const char *tokenid, struct cfg_token **ret,
		  struct err *err);

/* Each returns ERR_EXISTS if it is there, ERR_INVALID for a bad name. */
int usercfg_add_user(struct usercfg *cfg, const char *userid, struct cfg_user **ret,
		     struct err *err);
int usercfg_add_group(struct usercfg *cfg, const char *groupid, struct cfg_group **ret,
		      struct err *err);
int usercfg_add_role(struct usercfg *cfg, const char *roleid, privset privs, struct err *err);
int usercfg_add_token(struct usercfg *cfg, const char *tokenid, struct cfg_token **ret,
		      struct err *err);

/* Removal takes all references along: memberships, tokens, ACL entries. */
int usercfg_remove_user(struct usercfg *cfg, const char *userid, struct err *err);
int usercfg_remove_group(struct usercfg *cfg, const char *groupid, struct err *err);
int usercfg_remove_role(struct usercfg *cfg, const char *roleid, struct err *err);
int usercfg_remove_token(struct usercfg *cfg, const char *tokenid, struct err *err);

int usercfg_set_member(struct usercfg *cfg, const char *groupid, const char *userid, bool is_member,
		       struct err *err);
bool usercfg_is_member(const struct usercfg *cfg, const char *groupid, const char *userid);

/* A pool "a/b" lies in pool "a", which must be there; three levels at most. Only one that has neither members nor
 * pools below it can be removed (ERR_BUSY); its ACL entries go with it. */
int usercfg_pool(const struct usercfg *cfg, const char *poolid, struct cfg_pool **ret,
		 struct err *err);
int usercfg_add_pool(struct usercfg *cfg, const char *poolid, struct cfg_pool **ret,
		     struct err *err);
int usercfg_remove_pool(struct usercfg *cfg, const char *poolid, struct err *err);
/* path: "/vms/ID" or "/storage/ID". may_move: a guest may come out of another pool. */
int usercfg_pool_add(struct usercfg *cfg, struct cfg_pool *pool, const char *path, bool may_move,
		     struct err *err);
int usercfg_pool_drop(struct usercfg *cfg, struct cfg_pool *pool, const char *path,
		      struct err *err);
/* The pool of a guest ("/vms/101"); NULL: in none. */
const struct cfg_pool *usercfg_pool_of(const struct usercfg *cfg, const char *path);
/* Every guest is in the same pool as there. */
bool usercfg_has_same_pools(const struct usercfg *cfg, const struct usercfg *other);
/* What had this path is gone: its ACL entries and memberships. Returns whether there were any. */
bool usercfg_forget_path(struct usercfg *cfg, const char *path);

/* path: normal form, see acl_path_normalize(). Replaces the entry's propagate flag if it is there. */
int usercfg_acl_set(struct usercfg *cfg, const char *path, const struct acl_entry *entry,
		    struct err *err);
/* An absent entry is fine. */
void usercfg_acl_unset(struct usercfg *cfg, const char *path, const struct acl_entry *entry);

/* names of things */
bool userid_is_valid(const char *userid);
const char *userid_realm(const char *userid); /* after the last '@'; "" if there is none */
bool groupid_is_valid(const char *groupid);   /* role ids follow the same rule */
bool poolid_is_valid(const char *poolid);
bool tokenid_is_valid(const char *tokenid); /* full: user@realm!id */
/* The owner of a full token id; false if it has none or does not fit. */
bool tokenid_owner(const char *tokenid, char ret[USERID_MAX]);
const char *acl_kind_name(enum acl_kind kind);
