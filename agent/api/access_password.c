/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /access/password. Core's loop; passwords are checked and hashed in helper processes. Nothing here may log one. */
#include "agent/api/access_edit.h"
#include "agent/auth/privs.h"
#include "agent/auth/rights.h"
#include "agent/base/str.h"

static int apply_password(struct api_request *req, struct access_draft *draft, struct err *err)
{
	const char *userid = api_str(req, "userid");
	struct cfg_user *user;
	int r = usercfg_user(draft->cfg, userid, &user, err);

	if (r == 0)
		shadow_put(draft->shadow, userid, api_str(req, API_KEEP_HASH), api_tickets_end());
	return r;
}

static int on_new_hash(struct api_request *req, struct buf *output, struct err *err)
{
	fields_set(&req->params, API_KEEP_HASH, buf_str(output));
	return api_access_edit(req, apply_password, NULL, err);
}

static int on_confirmation(struct api_request *req, struct buf *output, struct err *err)
{
	if (!api_password_is_right(output))
		return api_login_failed(req, req->who.userid, err);
	return api_password_hash(req, api_str(req, "password"), on_new_hash, err);
}

static int check_password_rights(struct api_request *req, const char *userid, struct err *err)
{
	int r;

	if (rights_is_self(&req->who, userid))
		return 0;
	r = rights_check_realm(req->core->access, &req->who, userid, err);
	return r < 0 ? r
		     : rights_check_user(req->core->access, &req->who, userid, PRIV(USER_MODIFY),
					 false, err);
}

static int put_password(struct api_request *req, struct err *err)
{
	const char *userid = api_str(req, "userid");
	const char *confirmation = api_str(req, "confirmation-password");
	struct cfg_user *user;
	int r = check_password_rights(req, userid, err);

	if (r == 0)
		r = usercfg_user(access_usercfg(req->core->access), userid, &user, err);
	if (r < 0)
		return r;
	if (!str_eq(userid_realm(userid), "pve"))
		return err_field(err, "userid", "only users of realm 'pve' have a password here");
	if (req->who.is_local_root)
		return api_password_hash(req, api_str(req, "password"), on_new_hash, err);
	/* a stolen ticket must not be enough to take an account over */
	if (!confirmation)
		return err_field(err, "confirmation-password",
				 "property is missing and it is not optional");
	return api_password_verify(req, req->who.userid, confirmation, on_confirmation, err);
}

static const struct param password_params[] = {
	{.name = "userid",
	 .format = "pve-userid",
	 .has_max = true,
	 .max = USERCFG_USERID_MAX,
	 .text = "The user, as name@realm."},
	{.name = "password",
	 .has_min = true,
	 .min = 8,
	 .has_max = true,
	 .max = 64,
	 .is_secret = true,
	 .text = "The new password."},
	{.name = "confirmation-password",
	 .optional = true,
	 .has_min = true,
	 .min = 5,
	 .has_max = true,
	 .max = 64,
	 .is_secret = true,
	 .text = "The caller's own present password."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_PUT,
	 .path = "/access/password",
	 .text = "Change a password.",
	 .params = password_params,
	 .permission = {.kind = API_HANDLER,
			.text = "The user itself; or Realm.AllocateUser on /access/realm/REALM and "
				"User.Modify over a group of the user."},
	 .returns = "{\"type\":\"null\"}",
	 .handle = put_password,
	 .no_token = true},
};

const struct api_table api_table_access_password = {routes, ARRAY_SIZE(routes)};
