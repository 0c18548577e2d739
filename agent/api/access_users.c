/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /access/users: users as they are shown, and all routes. Core's loop. */
#include "agent/api/access_users.h"
#include "agent/auth/privs.h"
#include "agent/auth/rights.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define MAY_SEE (PRIV(USER_MODIFY) | PRIV(SYS_AUDIT))

/* ---- showing ---- */

typedef void (*group_fn)(struct json *j, const char *groupid, void *ctx);

static void each_group_of(struct api_request *req, const char *userid, group_fn fn, void *ctx)
{
	const struct usercfg *cfg = access_usercfg(req->core->access);
	const char *groupid;

	for (const struct cfg_group *g = map_first(cfg->groups, NULL, &groupid); g;
	     g = map_next(cfg->groups, groupid, &groupid))
		if (map_get(g->members, userid))
			fn(&req->json, groupid, ctx);
}

static void group_to_list(struct json *j, const char *groupid, void *ctx)
{
	struct buf *list = ctx;

	(void)j;
	buf_addf(list, "%s%s", list->size ? "," : "", groupid);
}

static void group_to_array(struct json *j, const char *groupid, void *ctx)
{
	(void)ctx;
	json_string(j, groupid);
}

/* is_map: {"id":{…}} for one user, [{"tokenid":"id",…}] in the list. */
static void tokens_to_json(struct api_request *req, const char *userid, bool is_map)
{
	const struct usercfg *cfg = access_usercfg(req->core->access);
	autofree char *prefix = xasprintf("%s!", userid);
	struct json *j = &req->json;
	const char *id;

	for (const struct cfg_token *t = map_first(cfg->tokens, prefix, &id);
	     t && str_starts(id, prefix); t = map_next(cfg->tokens, id, &id)) {
		if (is_map)
			json_key(j, str_after(id, prefix));
		json_object_begin(j);
		if (!is_map)
			json_kv_string(j, "tokenid", str_after(id, prefix));
		json_kv_bool(j, "privsep", t->privsep);
		json_kv_uint(j, "expire", t->expire);
		if (t->comment)
			json_kv_string(j, "comment", t->comment);
		json_object_end(j);
	}
}

static void text_to_json(struct json *j, const char *key, const char *value)
{
	if (value)
		json_kv_string(j, key, value);
}

static void user_to_json(struct json *j, const struct cfg_user *user)
{
	json_kv_bool(j, "enable", user->enable);
	json_kv_uint(j, "expire", user->expire);
	text_to_json(j, "firstname", user->firstname);
	text_to_json(j, "lastname", user->lastname);
	text_to_json(j, "email", user->email);
	text_to_json(j, "comment", user->comment);
}

static void list_entry(struct api_request *req, const char *userid, const struct cfg_user *user)
{
	struct json *j = &req->json;
	autobuf groups = BUF_INIT;

	json_object_begin(j);
	json_kv_string(j, "userid", userid);
	json_kv_string(j, "realm-type", userid_realm(userid));
	user_to_json(j, user);
	if (api_bool(req, "full", false)) {
		each_group_of(req, userid, group_to_list, &groups);
		json_kv_string(j, "groups", buf_str(&groups));
		json_key(j, "tokens");
		json_array_begin(j);
		tokens_to_json(req, userid, false);
		json_array_end(j);
	}
	json_object_end(j);
}

static bool is_listed(struct api_request *req, const char *userid, const struct cfg_user *user)
{
	bool has_filter = api_str(req, "enabled") != NULL;

	if (has_filter && api_bool(req, "enabled", true) != user->enable)
		return false;
	return str_eq(userid, req->who.userid) ||
	       rights_over_user(req->core->access, &req->who, userid, MAY_SEE, true);
}

static int list_users(struct api_request *req, struct err *err)
{
	const struct usercfg *cfg = access_usercfg(req->core->access);
	const char *userid;

	(void)err;
	json_array_begin(&req->json);
	for (const struct cfg_user *user = map_first(cfg->users, NULL, &userid); user;
	     user = map_next(cfg->users, userid, &userid))
		if (is_listed(req, userid, user))
			list_entry(req, userid, user);
	json_array_end(&req->json);
	return 0;
}

static int get_user(struct api_request *req, struct err *err)
{
	const char *userid = api_str(req, "userid");
	struct json *j = &req->json;
	struct cfg_user *user;
	int r = rights_check_user(req->core->access, &req->who, userid, MAY_SEE, true, err);

	if (r == 0)
		r = usercfg_user(access_usercfg(req->core->access), userid, &user, err);
	if (r < 0)
		return r;
	json_object_begin(j);
	user_to_json(j, user);
	json_key(j, "groups");
	json_array_begin(j);
	each_group_of(req, userid, group_to_array, NULL);
	json_array_end(j);
	json_key(j, "tokens");
	json_object_begin(j);
	tokens_to_json(req, userid, true);
	json_object_end(j);
	json_object_end(j);
	return 0;
}

/* ---- routes ---- */

#define USERID                                                                                     \
	{                                                                                          \
		.name = "userid", .format = "pve-userid", .has_max = true,                         \
		.max = USERCFG_USERID_MAX, .text = "The user, as name@realm."                      \
	}
#define TEXT(n, size, what)                                                                        \
	{                                                                                          \
		.name = n, .optional = true, .has_max = true, .max = size, .text = what            \
	}
#define ATTRIBUTES                                                                                 \
	TEXT("comment", 2048, "Free text."),                                                       \
		{.name = "keys",                                                                   \
		 .optional = true,                                                                 \
		 .has_max = true,                                                                  \
		 .max = 0,                                                                         \
		 .text = "Keys of a second factor, which is not available: must be empty."},       \
		{.name = "email",                                                                  \
		 .optional = true,                                                                 \
		 .format = "email-opt",                                                            \
		 .has_max = true,                                                                  \
		 .max = 254,                                                                       \
		 .text = "Address for mail."},                                                     \
		{.name = "enable",                                                                 \
		 .type = PARAM_BOOLEAN,                                                            \
		 .optional = true,                                                                 \
		 .default_text = "1",                                                              \
		 .text = "Whether the user may log in."},                                          \
		{.name = "expire",                                                                 \
		 .type = PARAM_INTEGER,                                                            \
		 .optional = true,                                                                 \
		 .has_min = true,                                                                  \
		 .min = 0,                                                                         \
		 .has_max = true,                                                                  \
		 .max = 253402300799.0, /* the year 9999 */                                        \
		 .text = "When the account ends, seconds since 1970; 0: never."},                  \
		TEXT("firstname", 1024, "First name."),                                            \
		{.name = "groups",                                                                 \
		 .format = "pve-groupid-list",                                                     \
		 .optional = true,                                                                 \
		 .has_max = true,                                                                  \
		 .max = USERCFG_TEXT_MAX,                                                          \
		 .text = "List of groups."},                                                       \
		TEXT("lastname", 1024, "Last name.")

static const struct param list_params[] = {
	{.name = "enabled",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .text = "Show only users that are enabled (1) or disabled (0)."},
	{.name = "full",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "0",
	 .text = "Show groups and tokens too."},
	PARAM_END,
};
static const struct param name_params[] = {USERID, PARAM_END};
static const struct param create_params[] = {
	USERID,
	ATTRIBUTES,
	{.name = "password",
	 .optional = true,
	 .has_min = true,
	 .min = 8,
	 .has_max = true,
	 .max = 64,
	 .is_secret = true,
	 .text = "First password."},
	PARAM_END,
};
static const struct param update_params[] = {
	USERID,
	ATTRIBUTES,
	{.name = "append",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .requires = "groups",
	 .text = "Join the groups without leaving others."},
	PARAM_END,
};

#define SHOWN                                                                                      \
	"\"comment\":{\"type\":\"string\",\"optional\":1},"                                        \
	"\"email\":{\"type\":\"string\",\"optional\":1},"                                          \
	"\"enable\":{\"type\":\"boolean\",\"optional\":1,\"default\":1},"                          \
	"\"expire\":{\"type\":\"integer\",\"optional\":1,\"minimum\":0},"                          \
	"\"firstname\":{\"type\":\"string\",\"optional\":1},"                                      \
	"\"lastname\":{\"type\":\"string\",\"optional\":1}"

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/access/users",
	 .text = "List the users that the caller may see.",
	 .params = list_params,
	 .permission = {.kind = API_USER,
			.text = "Shows the caller, and users over whom the caller has User.Modify "
				"or Sys.Audit by a group."},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{" SHOWN
		    ",\"groups\":{\"type\":\"string\",\"optional\":1},"
		    "\"realm-type\":{\"type\":\"string\",\"optional\":1},"
		    "\"tokens\":{\"type\":\"array\",\"optional\":1},"
		    "\"userid\":{\"type\":\"string\"}}}}",
	 .handle = list_users},
	{.verb = API_POST,
	 .path = "/access/users",
	 .text = "Create a user.",
	 .params = create_params,
	 .permission = {.kind = API_HANDLER,
			.text = "Realm.AllocateUser on /access/realm/REALM, and User.Modify on "
				"each of the groups, or on /access/groups without any."},
	 .returns = "{\"type\":\"null\"}",
	 .handle = access_user_create},
	{.verb = API_GET,
	 .path = "/access/users/{userid}",
	 .text = "Show a user.",
	 .params = name_params,
	 .permission = {.kind = API_HANDLER,
			.text = "User.Modify or Sys.Audit over a group of the user."},
	 .returns = "{\"type\":\"object\",\"properties\":{" SHOWN
		    ",\"groups\":{\"type\":\"array\",\"optional\":1,"
		    "\"items\":{\"type\":\"string\"}},"
		    "\"tokens\":{\"type\":\"object\",\"optional\":1}}}",
	 .handle = get_user},
	{.verb = API_PUT,
	 .path = "/access/users/{userid}",
	 .text = "Change a user.",
	 .params = update_params,
	 .permission = {.kind = API_HANDLER,
			.text = "User.Modify over a group of the user, and over each group that "
				"is joined or left."},
	 .returns = "{\"type\":\"null\"}",
	 .handle = access_user_update},
	{.verb = API_DELETE,
	 .path = "/access/users/{userid}",
	 .text = "Delete a user, with tokens and ACL entries.",
	 .params = name_params,
	 .permission = {.kind = API_HANDLER,
			.text = "Realm.AllocateUser on /access/realm/REALM, and User.Modify over "
				"a group of the user."},
	 .returns = "{\"type\":\"null\"}",
	 .handle = access_user_delete},
	/* an addition to the contract */
	{.verb = API_DELETE,
	 .path = "/access/users/{userid}/tickets",
	 .text = "Log a user out everywhere: tickets made until now are refused, tokens stay.",
	 .params = name_params,
	 .permission = {.kind = API_HANDLER,
			.text = "The user itself; or User.Modify over a group of the user."},
	 .returns = "{\"type\":\"null\"}",
	 .handle = access_user_log_out},
};

const struct api_table api_table_access_users = {routes, ARRAY_SIZE(routes)};
