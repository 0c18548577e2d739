/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model behind /user.cfg: users, groups, roles and tokens. Pure; runs in the core. */
#include "agent/auth/usercfg.h"

#include <string.h>

#include "agent/auth/privs.h"
#include "agent/auth/usercfg_internal.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static void user_free(void *p)
{
	struct cfg_user *user = p;

	free(user->firstname);
	free(user->lastname);
	free(user->email);
	free(user->comment);
	free(user);
}

static void group_free(void *p)
{
	struct cfg_group *group = p;

	map_free(group->members, NULL);
	free(group->comment);
	free(group);
}

static void token_free(void *p)
{
	struct cfg_token *token = p;

	free(token->comment);
	free(token);
}

static void role_put(struct usercfg *cfg, const char *name, privset privs, bool special)
{
	struct cfg_role *role = xcalloc(1, sizeof(*role));

	*role = (struct cfg_role){.privs = privs, .special = special};
	map_put(cfg->roles, name, role);
}

struct usercfg *usercfg_new(void)
{
	struct usercfg *cfg = xcalloc(1, sizeof(*cfg));
	struct cfg_user *root = xcalloc(1, sizeof(*root));

	cfg->users = map_new();
	cfg->groups = map_new();
	cfg->roles = map_new();
	cfg->tokens = map_new();
	cfg->pools = map_new();
	cfg->pooled = map_new();
	cfg->acl = map_new();
	root->enable = true;
	map_put(cfg->users, ROOT_USERID, root);
	for (const struct builtin_role *role = builtin_roles; role->name; role++)
		role_put(cfg, role->name, role->privs, true);
	return cfg;
}

void usercfg_free(struct usercfg *cfg)
{
	if (!cfg)
		return;
	map_free(cfg->groups, group_free);
	map_free(cfg->users, user_free);
	map_free(cfg->roles, free);
	map_free(cfg->tokens, token_free);
	map_free(cfg->pooled, NULL);
	map_free(cfg->pools, pool_free);
	map_free(cfg->acl, acl_node_free);
	free(cfg);
}

int usercfg_user(const struct usercfg *cfg, const char *userid, struct cfg_user **ret,
		 struct err *err)
{
	struct cfg_user *user = map_get(cfg->users, userid);

	if (!user)
		return err_set(err, ERR_NOT_FOUND, "no such user ('%s')", userid);
	*ret = user;
	return 0;
}

int usercfg_group(const struct usercfg *cfg, const char *groupid, struct cfg_group **ret,
		  struct err *err)
{
	struct cfg_group *group = map_get(cfg->groups, groupid);

	if (!group)
		return err_set(err, ERR_NOT_FOUND, "group '%s' does not exist", groupid);
	*ret = group;
	return 0;
}

int usercfg_role(const struct usercfg *cfg, const char *roleid, struct cfg_role **ret,
		 struct err *err)
{
	struct cfg_role *role = map_get(cfg->roles, roleid);

	if (!role)
		return err_set(err, ERR_NOT_FOUND, "role '%s' does not exist", roleid);
	*ret = role;
	return 0;
}

int usercfg_token(const struct usercfg *cfg, const char *tokenid, struct cfg_token **ret,
		  struct err *err)
{
	struct cfg_token *token = map_get(cfg->tokens, tokenid);
	char owner[USERID_MAX];

	if (!token && tokenid_owner(tokenid, owner))
		return err_set(err, ERR_NOT_FOUND, "no such token '%s' for user '%s'",
			       strchr(tokenid, '!') + 1, owner);
	if (!token)
		return err_set(err, ERR_NOT_FOUND, "no such token '%s'", tokenid);
	*ret = token;
	return 0;
}

int usercfg_add_user(struct usercfg *cfg, const char *userid, struct cfg_user **ret,
		     struct err *err)
{
	struct cfg_user *user;

	if (!userid_is_valid(userid))
		return err_field(err, "userid",
				 "invalid format - value '%s' does not look like a valid user name",
				 userid);
	if (map_get(cfg->users, userid))
		return err_set(err, ERR_EXISTS, "user '%s' already exists", userid);
	user = xcalloc(1, sizeof(*user));
	user->enable = true;
	map_put(cfg->users, userid, user);
	*ret = user;
	return 0;
}

int usercfg_add_group(struct usercfg *cfg, const char *groupid, struct cfg_group **ret,
		      struct err *err)
{
	struct cfg_group *group;

	if (!groupid_is_valid(groupid))
		return err_field(err, "groupid", "group name '%s' contains invalid characters",
				 groupid);
	if (map_get(cfg->groups, groupid))
		return err_set(err, ERR_EXISTS, "group '%s' already exists", groupid);
	group = xcalloc(1, sizeof(*group));
	group->members = map_new();
	map_put(cfg->groups, groupid, group);
	*ret = group;
	return 0;
}

int usercfg_add_role(struct usercfg *cfg, const char *roleid, privset privs, struct err *err)
{
	if (!groupid_is_valid(roleid))
		return err_field(err, "roleid", "role name '%s' contains invalid characters",
				 roleid);
	if (map_get(cfg->roles, roleid))
		return err_set(err, ERR_EXISTS, "role '%s' already exists", roleid);
	role_put(cfg, roleid, privs, false);
	return 0;
}

int usercfg_add_token(struct usercfg *cfg, const char *tokenid, struct cfg_token **ret,
		      struct err *err)
{
	char owner[USERID_MAX];
	struct cfg_user *user;
	struct cfg_token *token;
	int r;

	if (!tokenid_is_valid(tokenid) || !tokenid_owner(tokenid, owner))
		return err_field(err, "tokenid", "token id '%s' is not valid", tokenid);
	r = usercfg_user(cfg, owner, &user, err);
	if (r < 0)
		return r;
	if (map_get(cfg->tokens, tokenid))
		return err_set(err, ERR_EXISTS, "token '%s' already exists", tokenid);
	token = xcalloc(1, sizeof(*token));
	token->privsep = true;
	map_put(cfg->tokens, tokenid, token);
	*ret = token;
	return 0;
}

static void remove_tokens_of(struct usercfg *cfg, const char *userid)
{
	autofree char *prefix = xasprintf("%s!", userid);
	const char *key;

	while (map_first(cfg->tokens, prefix, &key) && str_starts(key, prefix)) {
		autofree char *tokenid = xstrdup(key);

		acl_forget(cfg, ACL_TOKEN, tokenid);
		token_free(map_remove(cfg->tokens, tokenid));
	}
}

int usercfg_remove_user(struct usercfg *cfg, const char *userid, struct err *err)
{
	struct cfg_user *user;
	const char *key;
	int r = usercfg_user(cfg, userid, &user, err);

	if (r < 0)
		return r;
	if (str_eq(userid, ROOT_USERID))
		return err_set(err, ERR_INVALID, "unable to delete user '%s'", userid);
	remove_tokens_of(cfg, userid);
	acl_forget(cfg, ACL_USER, userid);
	for (struct cfg_group *g = map_first(cfg->groups, NULL, &key); g;
	     g = map_next(cfg->groups, key, &key))
		map_remove(g->members, userid);
	user_free(map_remove(cfg->users, userid));
	return 0;
}

int usercfg_remove_group(struct usercfg *cfg, const char *groupid, struct err *err)
{
	struct cfg_group *group;
	int r = usercfg_group(cfg, groupid, &group, err);

	if (r < 0)
		return r;
	acl_forget(cfg, ACL_GROUP, groupid);
	group_free(map_remove(cfg->groups, groupid));
	return 0;
}

int usercfg_remove_role(struct usercfg *cfg, const char *roleid, struct err *err)
{
	struct cfg_role *role = NULL;
	int r = usercfg_role(cfg, roleid, &role, err);

	if (r < 0)
		return r;
	if (role->special)
		return err_set(err, ERR_INVALID, "auto-generated role '%s' cannot be deleted",
			       roleid);
	acl_forget_role(cfg, roleid);
	free(map_remove(cfg->roles, roleid));
	return 0;
}

int usercfg_remove_token(struct usercfg *cfg, const char *tokenid, struct err *err)
{
	struct cfg_token *token;
	int r = usercfg_token(cfg, tokenid, &token, err);

	if (r < 0)
		return r;
	acl_forget(cfg, ACL_TOKEN, tokenid);
	token_free(map_remove(cfg->tokens, tokenid));
	return 0;
}

int usercfg_set_member(struct usercfg *cfg, const char *groupid, const char *userid, bool is_member,
		       struct err *err)
{
	struct cfg_group *group = NULL;
	struct cfg_user *user = NULL;
	int r = usercfg_group(cfg, groupid, &group, err);

	if (r < 0)
		return r;
	r = usercfg_user(cfg, userid, &user, err);
	if (r < 0)
		return r;
	if (is_member)
		map_put(group->members, userid, user);
	else
		map_remove(group->members, userid);
	return 0;
}

bool usercfg_is_member(const struct usercfg *cfg, const char *groupid, const char *userid)
{
	const struct cfg_group *group = map_get(cfg->groups, groupid);

	return group && map_get(group->members, userid);
}
