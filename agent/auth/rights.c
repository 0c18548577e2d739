/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compound permission checks. Runs in the core's loop. */
#include "agent/auth/rights.h"

#include "agent/auth/edit.h"
#include "agent/auth/privs.h"
#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static bool has(privset set, privset privs, bool any)
{
	return any ? (set & privs) != 0 : (set & privs) == privs;
}

bool rights_is_self(const struct identity *who, const char *userid)
{
	return str_eq(who->userid, userid) && (!who->is_token || !who->has_privsep);
}

bool rights_over_group(struct access *access, const struct identity *who, const char *groupid,
		       privset privs, bool any)
{
	autofree char *path = xasprintf("/access/groups/%s", groupid);

	return has(access_privileges(access, who, path), privs, any);
}

bool rights_over_user(struct access *access, const struct identity *who, const char *userid,
		      privset privs, bool any)
{
	const struct usercfg *cfg = access_usercfg(access);
	const char *groupid;

	if (has(access_privileges(access, who, "/access/groups"), privs, any))
		return true;
	for (const struct cfg_group *g = map_first(cfg->groups, NULL, &groupid); g;
	     g = map_next(cfg->groups, groupid, &groupid))
		if (map_get(g->members, userid) &&
		    rights_over_group(access, who, groupid, privs, any))
			return true;
	return false;
}

/* Whoever could change root's entry or make a token for it would be root. */
static bool is_roots_alone(const struct identity *who, const char *userid, privset privs)
{
	return (privs & PRIV(USER_MODIFY)) && str_eq(userid, ROOT_USERID) &&
	       !rights_is_self(who, userid);
}

int rights_check_user(struct access *access, const struct identity *who, const char *userid,
		      privset privs, bool any, struct err *err)
{
	if (is_roots_alone(who, userid, privs))
		return err_set(err, ERR_DENIED, "Permission check failed (only %s may change %s)",
			       ROOT_USERID, ROOT_USERID);
	if (rights_over_user(access, who, userid, privs, any))
		return 0;
	return access_check(access, who, "/access/groups", privs, any, err);
}

int rights_check_group(struct access *access, const struct identity *who, const char *groupid,
		       struct err *err)
{
	autofree char *path = xasprintf("/access/groups/%s", groupid);

	if (access_privileges(access, who, "/access/groups") & PRIV(USER_MODIFY))
		return 0;
	return access_check(access, who, path, PRIV(USER_MODIFY), false, err);
}

int rights_check_realm(struct access *access, const struct identity *who, const char *userid,
		       struct err *err)
{
	autofree char *path = xasprintf("/access/realm/%s", userid_realm(userid));

	return access_check(access, who, path, PRIV(REALM_ALLOCATE_USER), false, err);
}

/* Bridges count as those of a zone that each node has. */
#define BRIDGE_PATH "/sdn/zones/localnetwork/%s"

bool rights_on_bridge(struct access *access, const struct identity *who, const char *bridge,
		      privset privs)
{
	autofree char *path = xasprintf(BRIDGE_PATH, bridge);
	autofree char *vlans = xasprintf("%s/", path);
	const struct usercfg *cfg = access_usercfg(access);
	const char *key;

	if (has(access_privileges(access, who, path), privs, true))
		return true;
	for (const struct acl_node *n = map_first(cfg->acl, NULL, &key); n;
	     n = map_next(cfg->acl, key, &key))
		if (str_starts(key, vlans) && has(access_privileges(access, who, key), privs, true))
			return true;
	return false;
}

int rights_check_bridge(struct access *access, const struct identity *who, const char *bridge,
			unsigned tag, struct err *err)
{
	autofree char *path =
		tag ? xasprintf(BRIDGE_PATH "/%u", bridge, tag) : xasprintf(BRIDGE_PATH, bridge);

	return access_check(access, who, path, PRIV(SDN_USE), false, err);
}

/* Who may create things below these may also share them. */
static const struct owner {
	const char *prefix;
	privset priv;
} owners[] = {
	{"/storage/", PRIV(DATASTORE_ALLOCATE)},
	{"/vms/", PRIV(VM_ALLOCATE)},
	{"/pool/", PRIV(POOL_ALLOCATE)},
};

bool rights_may_modify_acl(struct access *access, const struct identity *who, const char *path)
{
	privset privs = PRIV(PERMISSIONS_MODIFY);

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++)
		if (str_starts(path, owners[i].prefix))
			privs |= owners[i].priv;
	return has(access_privileges(access, who, path), privs, true);
}

int rights_check_grant(struct access *access, const struct identity *who, const char *path,
		       privset role, bool propagate, struct err *err)
{
	struct rights rights = access_rights(access, who, path);
	privset own = propagate ? rights.propagated : rights.granted;
	autobuf names = BUF_INIT;

	if (rights.granted & PRIV(PERMISSIONS_MODIFY))
		return 0;
	if (!rights_may_modify_acl(access, who, path))
		return err_set(err, ERR_DENIED, "Permission check failed (%s, %s)", path,
			       priv_name(PRIV_PERMISSIONS_MODIFY));
	if ((role & ~own) == 0)
		return 0;
	privset_format(role & ~own, ", ", &names);
	return err_set(err, ERR_DENIED, "Permission check failed (%s, %s)", path, buf_str(&names));
}
