/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rights an ACL gives to whom: paths and resolution. Pure. */
#pragma once

#include "agent/auth/usercfg.h"

/* Privileges on one path; `propagated` are those that also hold below it. */
struct rights {
	privset granted;
	privset propagated;
	bool is_denied; /* by NoAccess: pools add nothing */
};

/* Normal form ("/vms/100": one slash between components, none at the end); NULL if it is no path
 * that rights can be given on. Heap. */
char *acl_path_normalize(const char *path);
bool acl_path_is_valid(const char *path); /* is in normal form and known */

/* The members of a pool have what is given on it ("/pool/ID") beside what is given on themselves,
 * unless that is NoAccess.
 * From "/" down, the nearest path with entries for the user decides: entries of the user itself
 * before those of the user's groups, NoAccess before any other role there. Entries above count only
 * if they propagate. root@pam has everything; an unknown user nothing. */
struct rights acl_user_rights(const struct usercfg *cfg, const char *userid, const char *path);
/* All that entries on a pool ("web/db") and on what it lies in give to anybody. */
privset acl_pool_gives(const struct usercfg *cfg, const char *poolid);
/* The token's own entries, not yet cut down to its user's rights. */
struct rights acl_token_rights(const struct usercfg *cfg, const char *tokenid, const char *path);
