/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /access/users. Core's loop. */
#include "agent/api/access_edit.h"
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

/* ---- changing ---- */

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

static int create_user(struct api_request *req, struct err *err)
{
	const char *password = api_str(req, "password");
	int r = check_create(req, err);

	if (r < 0)
		return r;
	if (password)
		return api_password_hash(req, password, create_with_hash, err);
	return api_access_edit(req, apply_create, NULL, err);
}

static int update_user(struct api_request *req, struct err *err)
{
	int r = rights_check_user(req->core->access, &req->who, api_str(req, "userid"),
				  PRIV(USER_MODIFY), false, err);

	if (r < 0)
		return r;
	if (api_str(req, "append") && !api_str(req, "groups"))
		return err_field(err, "append",
				 "missing property - 'append' requires this: groups");
	return api_access_edit(req, apply_update, NULL, err);
}

static int delete_user(struct api_request *req, struct err *err)
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

static int log_out(struct api_request *req, struct err *err)
{
	const char *userid = api_str(req, "userid");
	int r = rights_is_self(&req->who, userid)
			? 0
			: rights_check_user(req->core->access, &req->who, userid, PRIV(USER_MODIFY),
					    false, err);

	return r < 0 ? r : api_access_edit(req, apply_log_out, NULL, err);
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
	 .handle = create_user},
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
	 .handle = update_user},
	{.verb = API_DELETE,
	 .path = "/access/users/{userid}",
	 .text = "Delete a user, with tokens and ACL entries.",
	 .params = name_params,
	 .permission = {.kind = API_HANDLER,
			.text = "Realm.AllocateUser on /access/realm/REALM, and User.Modify over "
				"a group of the user."},
	 .returns = "{\"type\":\"null\"}",
	 .handle = delete_user},
	/* an addition to the contract */
	{.verb = API_DELETE,
	 .path = "/access/users/{userid}/tickets",
	 .text = "Log a user out everywhere: tickets made until now are refused, tokens stay.",
	 .params = name_params,
	 .permission = {.kind = API_HANDLER,
			.text = "The user itself; or User.Modify over a group of the user."},
	 .returns = "{\"type\":\"null\"}",
	 .handle = log_out},
};

const struct api_table api_table_access_users = {routes, ARRAY_SIZE(routes)};
