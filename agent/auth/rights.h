/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compound permission checks of the access resources, as the contract words them. Core's loop. */
#pragma once

#include "agent/auth/access.h"
#include "agent/auth/acl.h"

/* With the part that propagates; cached. */
struct rights access_rights(struct access *access, const struct identity *who, const char *path);

/* "self": the user itself, also by a token that has all of the user's rights. A token with rights of
 * its own is not its user: it must not hand itself more. */
bool rights_is_self(const struct identity *who, const char *userid);
/* "userid-group": privs on /access/groups, or on a group of which userid is a member. */
bool rights_over_user(struct access *access, const struct identity *who, const char *userid,
		      privset privs, bool any);
/* The same as a check; asking for User.Modify over root@pam is refused to everybody else. */
int rights_check_user(struct access *access, const struct identity *who, const char *userid,
		      privset privs, bool any, struct err *err);
/* "userid-param Realm.AllocateUser": on the realm of the user id. */
int rights_check_realm(struct access *access, const struct identity *who, const char *userid,
		       struct err *err);
/* Any of privs on a bridge, or on one of its VLANs that rights are given on: whether it is worth showing. */
bool rights_on_bridge(struct access *access, const struct identity *who, const char *bridge,
		      privset privs);
/* SDN.Use on a bridge; tag: of a VLAN of it, where a right that propagates counts as well, 0: none. */
int rights_check_bridge(struct access *access, const struct identity *who, const char *bridge,
			unsigned tag, struct err *err);
/* privs on /access/groups/GROUPID. */
bool rights_over_group(struct access *access, const struct identity *who, const char *groupid,
		       privset privs, bool any);
/* User.Modify on /access/groups, or on /access/groups/GROUPID. */
int rights_check_group(struct access *access, const struct identity *who, const char *groupid,
		       struct err *err);
/* "perm-modify": may change the ACL of a path at all. */
bool rights_may_modify_acl(struct access *access, const struct identity *who, const char *path);
/* The same for one role: without Permissions.Modify only what the caller holds there itself may be
 * handed on (with propagate: holds in the same way). */
int rights_check_grant(struct access *access, const struct identity *who, const char *path,
		       privset role, bool propagate, struct err *err);
