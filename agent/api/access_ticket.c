/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /access/ticket: logging in; and the list of what lies below /access. Core's loop; passwords are checked in helper
 * processes. Nothing here may log a password or a ticket. */
#include "agent/api/access_edit.h"
#include "agent/auth/acl.h"
#include "agent/auth/caps.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define KEEP_USERID ".userid"
#define KEEP_SINCE  ".since" /* of tickets, when the check of the password began */

#define LOGINS_MAX	   32 /* whose passwords are checked at the same time */
#define LOGINS_OF_PEER_MAX 4

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

/* Who asks about rights wants to know who it is and whether they are there, not to log in. */
static int write_user(struct api_request *req, const char *userid, struct err *err)
{
	struct identity who = {0};
	struct json *j = &req->json;
	autofree char *path = acl_path_normalize(api_str(req, "path"));
	privset need;

	str_copy(who.userid, sizeof(who.userid), userid);
	if (privset_from_names(api_str(req, "privs"), &need, NULL) < 0 || !path ||
	    access_check(req->core->access, &who, path, need, false, NULL) < 0)
		return api_login_failed(req, userid, err);
	json_object_begin(j);
	json_kv_string(j, "username", userid);
	json_object_end(j);
	return 0;
}

static int answer(struct api_request *req, const char *userid, struct err *err)
{
	return api_str(req, "path") ? write_user(req, userid, err) : write_ticket(req, userid, err);
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
		return api_login_failed(req, userid, err);
	return answer(req, userid, err);
}

static int check_second_factor(const struct api_request *req, struct err *err)
{
	static const char *const names[] = {"otp", "tfa-challenge"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!str_is_empty(api_str(req, names[i])))
			return err_field(err, names[i], "a second factor is not supported");
	return 0;
}

static int check_question(const struct api_request *req, struct err *err)
{
	const char *path = api_str(req, "path"), *privs = api_str(req, "privs");
	autofree char *normal = path ? acl_path_normalize(path) : NULL;
	privset need;

	if (!path)
		return 0;
	if (!normal)
		return err_field(err, "path", "invalid format - not a path of the access lists");
	if (privset_from_names(privs, &need, NULL) < 0 || need == 0)
		return err_field(err, "privs", "invalid format - unknown privilege");
	return 0;
}

/* Anybody may ask, and each answer costs a process and a slow hash: those who log in must neither
 * take all helpers from the others, nor guess as fast as the processors allow. */
static int check_crowd(const struct api_request *req, struct err *err)
{
	bool is_peer_known = req->peer[0] != '\0';

	if (is_peer_known && api_count_alike(req, true) > LOGINS_OF_PEER_MAX)
		return err_set(err, ERR_CROWDED,
			       "too many log-ins from your address at once, try again");
	if (api_count_alike(req, false) > LOGINS_MAX)
		return err_set(err, ERR_CROWDED, "too many log-ins at once, try again");
	return 0;
}

static int post_ticket(struct api_request *req, struct err *err)
{
	autofree char *userid = asked_userid(req);
	const char *password = api_str(req, "password");
	int r = check_second_factor(req, err);

	if (r < 0 || (r = check_question(req, err)) < 0)
		return r;
	if (userid && is_valid_ticket_of(req, userid, password))
		return answer(req, userid, err);
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
	{.name = "path",
	 .optional = true,
	 .requires = "privs",
	 .has_max = true,
	 .max = 64,
	 .text = "Instead of a log-in: does the user have 'privs' there?"},
	{.name = "privs",
	 .format = "pve-priv-list",
	 .optional = true,
	 .requires = "path",
	 .has_max = true,
	 .max = 64,
	 .text = "Privileges that the user must all have on 'path'."},
	{.name = "otp", .optional = true, .is_secret = true, .text = "Must be empty."},
	{.name = "tfa-challenge", .optional = true, .is_secret = true, .text = "Must be empty."},
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
};

const struct api_table api_table_access_ticket = {routes, ARRAY_SIZE(routes)};
