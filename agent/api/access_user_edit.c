/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of users: made, changed, removed, their tickets ended. Core's loop. */
#include "agent/api/access_users.h"

#include <string.h>

#include "agent/auth/privs.h"
#include "agent/auth/rights.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static int take_limits(const struct api_request *req, struct cfg_user *user, struct err *err)
{
	bool is_root = str_eq(api_str(req, "userid"), ROOT_USERID);

	user->enable = api_bool(req, "enable", user->enable);
	user->expire = (uint64_t)api_int(req, "expire", (int64_t)user->expire);
	if (is_root && !user->enable)
		return err_field(err, "enable", "%s cannot be disabled", ROOT_USERID);
	if (is_root && user->expire)
		return err_field(err, "expire", "%s cannot expire", ROOT_USERID);
	return 0;
}

static int take_fields(const struct api_request *req, struct cfg_user *user, struct err *err)
{
	api_take_text(req, "firstname", &user->firstname);
	api_take_text(req, "lastname", &user->lastname);
	api_take_text(req, "email", &user->email);
	api_take_text(req, "comment", &user->comment);
	return take_limits(req, user, err);
}

/* Joins, and without "append" also leaves, groups. Each change needs User.Modify over that group.
 */

static int take_groups(struct api_request *req, struct usercfg *cfg, struct err *err)
{
	const char *userid = api_str(req, "userid"), *groupid;
	autostrv char **wanted = api_list(req, "groups");
	bool is_append = api_bool(req, "append", false);
	struct cfg_group *group;
	int r = 0;

	if (!api_str(req, "groups"))
		return 0;
	for (char **w = wanted; *w && r == 0; w++)
		r = usercfg_group(cfg, *w, &group, err);
	group = map_first(cfg->groups, NULL, &groupid);
	for (; group && r == 0; group = map_next(cfg->groups, groupid, &groupid)) {
		bool is_member = map_get(group->members, userid) != NULL;
		bool shall = strv_has(wanted, groupid) || (is_append && is_member);

		if (is_member == shall)
			continue;
		r = rights_check_group(req->core->access, &req->who, groupid, err);
		if (r == 0)
			r = usercfg_set_member(cfg, groupid, userid, shall, err);
	}
	return r;
}

static int apply_create(struct api_request *req, struct access_draft *draft, struct err *err)
{
	const char *userid = api_str(req, "userid");
	const char *hash = api_str(req, API_KEEP_HASH);
	struct cfg_user *user;
	int r = usercfg_add_user(draft->cfg, userid, &user, err);

	if (r == 0 && !str_is_word(userid, strlen(userid)))
		r = err_field(err, "userid", "a name has no space in it");
	if (r == 0)
		r = take_fields(req, user, err);
	if (r == 0)
		r = take_groups(req, draft->cfg, err);
	/* a user of the same name may have had tickets */
	shadow_put(draft->shadow, userid, hash, api_tickets_end());
	return r < 0 ? err_prefix(err, "create user failed") : 0;
}

static int apply_update(struct api_request *req, struct access_draft *draft, struct err *err)
{
	struct cfg_user *user;
	int r = usercfg_user(draft->cfg, api_str(req, "userid"), &user, err);

	if (r == 0)
		r = take_fields(req, user, err);
	return r < 0 ? r : take_groups(req, draft->cfg, err);
}

static int apply_delete(struct api_request *req, struct access_draft *draft, struct err *err)
{
	const char *userid = api_str(req, "userid");
	autofree char *prefix = xasprintf("%s!", userid);
	int r = usercfg_remove_user(draft->cfg, userid, err);

	if (r < 0)
		return err_prefix(err, "delete user failed");
	secrets_remove(draft->shadow, userid);
	secrets_remove_prefix(draft->tokens, prefix);
	return 0;
}

static int create_with_hash(struct api_request *req, struct buf *output, struct err *err)
{
	fields_set(&req->params, API_KEEP_HASH, buf_str(output));
	return api_access_edit(req, apply_create, NULL, err);
}

static int check_create(struct api_request *req, struct err *err)
{
	autostrv char **groups = api_list(req, "groups");
	const char *userid = api_str(req, "userid");
	int r = rights_check_realm(req->core->access, &req->who, userid, err);
	bool is_pve = str_eq(userid_realm(userid), "pve");

	for (char **g = groups; *g && r == 0; g++)
		r = rights_check_group(req->core->access, &req->who, *g, err);
	if (r == 0 && !*groups)
		r = api_check(req, "/access/groups", "User.Modify", false, err);
	if (r < 0)
		return r;
	if (!is_pve && !str_eq(userid_realm(userid), "pam"))
		return err_field(err, "userid", "realm '%s' does not exist", userid_realm(userid));
	if (!is_pve && api_str(req, "password"))
		return err_field(err, "password", "only users of realm 'pve' have one here");
	return 0;
}

int access_user_create(struct api_request *req, struct err *err)
{
	const char *password = api_str(req, "password");
	int r = check_create(req, err);

	if (r < 0)
		return r;
	if (password)
		return api_password_hash(req, password, create_with_hash, err);
	return api_access_edit(req, apply_create, NULL, err);
}

int access_user_update(struct api_request *req, struct err *err)
{
	int r = rights_check_user(req->core->access, &req->who, api_str(req, "userid"),
				  PRIV(USER_MODIFY), false, err);

	if (r < 0)
		return r;
	return api_access_edit(req, apply_update, NULL, err);
}

int access_user_delete(struct api_request *req, struct err *err)
{
	const char *userid = api_str(req, "userid");
	int r = rights_check_realm(req->core->access, &req->who, userid, err);

	if (r == 0)
		r = rights_check_user(req->core->access, &req->who, userid, PRIV(USER_MODIFY),
				      false, err);
	return r < 0 ? r : api_access_edit(req, apply_delete, NULL, err);
}

static int apply_log_out(struct api_request *req, struct access_draft *draft, struct err *err)
{
	const char *userid = api_str(req, "userid");
	struct cfg_user *user;
	int r = usercfg_user(draft->cfg, userid, &user, err);

	if (r == 0)
		shadow_put_since(draft->shadow, userid, api_tickets_end());
	return r;
}

int access_user_log_out(struct api_request *req, struct err *err)
{
	const char *userid = api_str(req, "userid");
	int r = rights_is_self(&req->who, userid)
			? 0
			: rights_check_user(req->core->access, &req->who, userid, PRIV(USER_MODIFY),
					    false, err);

	return r < 0 ? r : api_access_edit(req, apply_log_out, NULL, err);
}
