/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /access/permissions: what a user or token may do, in effect. Core's loop. */
#include "agent/api/api.h"
#include "agent/auth/acl.h"
#include "agent/auth/caps.h"
#include "agent/auth/edit.h"
#include "agent/auth/rights.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static int asked_identity(struct api_request *req, const char *text, struct identity *ret,
			  struct err *err)
{
	const struct usercfg *cfg = access_usercfg(req->core->access);
	struct identity who = {0};
	struct cfg_token *token;
	struct cfg_user *user;
	int r;

	if (!tokenid_owner(text, who.userid)) {
		r = usercfg_user(cfg, text, &user, err);
		if (r == 0)
			str_copy(who.userid, sizeof(who.userid), text);
	} else {
		r = usercfg_token(cfg, text, &token, err);
		who.is_token = true;
		str_copy(who.tokenid, sizeof(who.tokenid), text);
		who.has_privsep = r == 0 && token->privsep;
	}
	if (r == 0)
		*ret = who;
	return r;
}

/* Oneself, or a token of one's own. */
static bool is_own(const struct identity *who, const char *text)
{
	char owner[USERID_MAX];

	if (str_eq(text, who->is_token ? who->tokenid : who->userid))
		return true;
	return tokenid_owner(text, owner) && rights_is_self(who, owner);
}

static int get_permissions(struct api_request *req, struct err *err)
{
	struct access *access = req->core->access;
	const char *userid = api_str(req, "userid"), *asked_path = api_str(req, "path");
	autofree char *path = asked_path ? acl_path_normalize(asked_path) : NULL;
	struct identity who = req->who;
	int r = 0;

	if (userid && !is_own(&req->who, userid))
		r = api_check(req, "/access", "Sys.Audit", false, err);
	if (r == 0 && userid && !(req->who.is_local_root && str_eq(userid, ROOT_USERID)))
		r = asked_identity(req, userid, &who, err);
	if (r < 0)
		return r;
	if (asked_path && !path)
		return err_field(err, "path", "invalid ACL path '%s'", asked_path);
	if (path)
		access_path_to_json(access, &who, path, &req->json);
	else
		access_tree_to_json(access, &who, &req->json);
	return 0;
}

static const struct param permissions_params[] = {
	{.name = "path",
	 .optional = true,
	 .has_max = true,
	 .max = USERCFG_ACL_PATH_MAX,
	 .text = "Only this path."},
	{.name = "userid",
	 .optional = true,
	 .pattern = "[^[:space:]:/]+@[A-Za-z][A-Za-z0-9._-]+(![A-Za-z][A-Za-z0-9._-]+)?",
	 .has_max = true,
	 .max = USERID_MAX - 1,
	 .text = "A user or token; the caller without it."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/access/permissions",
	 .text = "Show the effective permissions of the caller, or of another.",
	 .params = permissions_params,
	 .permission = {.kind = API_USER,
			.text = "Sys.Audit on /access for others than oneself and own tokens."},
	 .returns = "{\"type\":\"object\"}",
	 .handle = get_permissions},
};

const struct api_table api_table_access_permissions = {routes, ARRAY_SIZE(routes)};
