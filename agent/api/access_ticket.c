/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logging in, passwords, own permissions, realms: /access and its small resources. Core's loop;
 * passwords are checked in helper processes. Nothing here may log a password or a ticket. */
#include "agent/api/access_edit.h"
#include "agent/auth/acl.h"
#include "agent/auth/caps.h"
#include "agent/auth/privs.h"
#include "agent/auth/rights.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define KEEP_USERID  ".userid"
#define KEEP_SINCE   ".since" /* of tickets, when the check of the password began */
#define TEXT_FAILURE "authentication failure"

#define LOGINS_MAX	   32 /* whose passwords are checked at the same time */
#define LOGINS_OF_PEER_MAX 8

/* ---- tickets ---- */

static uint64_t now_seconds(void)
{
	return clock_wall() / USEC_PER_SEC;
}

static int write_ticket(struct api_request *req, const char *userid, struct err *err)
{
	char ticket[TICKET_MAX], csrf[TICKET_MAX];
	struct identity who = {0};
	struct json *j = &req->json;
	int r = access_ticket_make(req->core->access, userid, now_seconds(), ticket, csrf, err);

	if (r < 0)
		return r;
	str_copy(who.userid, sizeof(who.userid), userid);
	json_object_begin(j);
	json_kv_string(j, "ticket", ticket);
	json_kv_string(j, "CSRFPreventionToken", csrf);
	json_kv_string(j, "username", userid);
	json_key(j, "cap");
	access_caps_to_json(req->core->access, &who, j);
	json_object_end(j);
	return 0;
}

/* Names of unknown users are not logged: people type passwords there. */
static int login_failed(const struct api_request *req, const char *userid, struct err *err)
{
	bool is_known = map_get(access_usercfg(req->core->access)->users, userid) != NULL;

	log_warning("authentication failure; peer=%s user=%s", req->peer,
		    is_known ? userid : "(unknown)");
	return err_set(err, ERR_AUTH, TEXT_FAILURE);
}

/* "name@realm" as asked for; NULL if that cannot be a user. */
static char *asked_userid(const struct api_request *req)
{
	const char *name = api_str(req, "username"), *realm = api_str(req, "realm");
	autofree char *userid = realm ? xasprintf("%s@%s", name, realm) : xstrdup(name);

	return userid_is_valid(userid) ? TAKE(userid) : NULL;
}

static bool is_valid_ticket_of(struct api_request *req, const char *userid, const char *ticket)
{
	struct credential cred = {.ticket = ticket};
	struct identity who;

	return access_authenticate(req->core->access, &cred, false, now_seconds(), &who, NULL) ==
		       0 &&
	       str_eq(who.userid, userid);
}

static bool is_same_password(const struct api_request *req, const char *userid)
{
	uint64_t before;

	return str_to_u64(api_str(req, KEEP_SINCE), &before) &&
	       before == access_tickets_since(req->core->access, userid);
}

static int on_password(struct api_request *req, struct buf *output, struct err *err)
{
	struct access *access = req->core->access;
	const char *userid = api_str(req, KEEP_USERID);

	/* the user, or the password, may have changed while the helper worked */
	if (!api_password_is_right(output) || !access_password_hash(access, userid) ||
	    !is_same_password(req, userid) ||
	    !access_user_is_enabled(access, userid, now_seconds()))
		return login_failed(req, userid, err);
	return write_ticket(req, userid, err);
}

static int check_second_factor(const struct api_request *req, struct err *err)
{
	static const char *const names[] = {"otp", "tfa-challenge"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!str_is_empty(api_str(req, names[i])))
			return err_field(err, names[i], "a second factor is not supported");
	return 0;
}

/* Anybody may ask, and each answer costs a process and a slow hash: those who log in must neither
 * take all helpers from the others, nor guess as fast as the processors allow. */
static int check_crowd(const struct api_request *req, struct err *err)
{
	bool is_peer_known = req->peer[0] != '\0';

	if (api_count_alike(req, false) > LOGINS_MAX ||
	    (is_peer_known && api_count_alike(req, true) > LOGINS_OF_PEER_MAX))
		return err_set(err, ERR_LIMIT, "too many log-ins at once, try again");
	return 0;
}

static int post_ticket(struct api_request *req, struct err *err)
{
	autofree char *userid = asked_userid(req);
	const char *password = api_str(req, "password");
	int r = check_second_factor(req, err);

	if (r < 0)
		return r;
	if (userid && is_valid_ticket_of(req, userid, password))
		return write_ticket(req, userid, err);
	if ((r = check_crowd(req, err)) < 0)
		return r;
	/* the same way for all, so that the time does not tell who exists */
	fields_set(&req->params, KEEP_USERID, userid ? userid : "");
	fields_addf(
		&req->params, KEEP_SINCE, "%llu",
		(unsigned long long)access_tickets_since(req->core->access, userid ? userid : ""));
	return api_password_verify(req, userid ? userid : "", password, on_password, err);
}

static int get_nothing(struct api_request *req, struct err *err)
{
	(void)req;
	(void)err;
	return 0;
}

/* ---- passwords ---- */

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
		return login_failed(req, req->who.userid, err);
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

/* ---- permissions ---- */

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

/* ---- realms ---- */

static const struct {
	const char *name, *comment;
	bool is_default;
} realms[] = {
	{"pam", "Users of the operating system", false},
	{"pve", "Users kept by Lodge", true},
};

static int list_domains(struct api_request *req, struct err *err)
{
	struct json *j = &req->json;

	(void)err;
	json_array_begin(j);
	for (size_t i = 0; i < ARRAY_SIZE(realms); i++) {
		json_object_begin(j);
		json_kv_string(j, "realm", realms[i].name);
		json_kv_string(j, "type", realms[i].name);
		json_kv_string(j, "comment", realms[i].comment);
		if (realms[i].is_default)
			json_kv_bool(j, "default", true);
		json_object_end(j);
	}
	json_array_end(j);
	return 0;
}

/* ---- routes ---- */

static const struct param ticket_params[] = {
	{.name = "username",
	 .has_max = true,
	 .max = USERCFG_USERID_MAX,
	 .text = "The user, with or without @realm."},
	{.name = "password", .is_secret = true, .text = "The password, or a ticket still valid."},
	{.name = "realm",
	 .optional = true,
	 .format = "pve-realm",
	 .has_max = true,
	 .max = 32,
	 .text = "The realm, unless it is part of the user name."},
	{.name = "new-format",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "1",
	 .text = "Has no effect."},
	{.name = "otp", .optional = true, .is_secret = true, .text = "Must be empty."},
	{.name = "tfa-challenge", .optional = true, .is_secret = true, .text = "Must be empty."},
	PARAM_END,
};

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
	 .path = "/access",
	 .text = "List what lies below.",
	 .permission = {.kind = API_USER},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		    "\"subdir\":{\"type\":\"string\"}}}}",
	 .handle = api_index_subdirs},
	{.verb = API_GET,
	 .path = "/access/ticket",
	 .text = "Nothing; log-in pages ask for it.",
	 .permission = {.kind = API_WORLD},
	 .returns = "{\"type\":\"null\"}",
	 .handle = get_nothing},
	{.verb = API_POST,
	 .path = "/access/ticket",
	 .text = "Log in: a ticket and its CSRF token.",
	 .params = ticket_params,
	 .permission = {.kind = API_WORLD},
	 .returns = "{\"type\":\"object\",\"properties\":{"
		    "\"CSRFPreventionToken\":{\"type\":\"string\",\"optional\":1},"
		    "\"cap\":{\"type\":\"object\",\"optional\":1},"
		    "\"ticket\":{\"type\":\"string\",\"optional\":1},"
		    "\"username\":{\"type\":\"string\"}}}",
	 .handle = post_ticket,
	 .no_token = true},
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
	{.verb = API_GET,
	 .path = "/access/permissions",
	 .text = "Show the effective permissions of the caller, or of another.",
	 .params = permissions_params,
	 .permission = {.kind = API_USER,
			.text = "Sys.Audit on /access for others than oneself and own tokens."},
	 .returns = "{\"type\":\"object\"}",
	 .handle = get_permissions},
	{.verb = API_GET,
	 .path = "/access/domains",
	 .text = "List the realms that users log in to.",
	 .permission = {.kind = API_WORLD},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		    "\"comment\":{\"type\":\"string\",\"optional\":1},"
		    "\"realm\":{\"type\":\"string\"},\"type\":{\"type\":\"string\"}}}}",
	 .handle = list_domains},
};

const struct api_table api_table_access_ticket = {routes, ARRAY_SIZE(routes)};
