/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /access/users/{userid}/token. Core's loop. A secret is shown once, when it is made, and only its
 * digest is kept. */
#include "agent/api/access_edit.h"
#include "agent/auth/privs.h"
#include "agent/auth/rights.h"
#include "agent/auth/token.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define KEEP_SECRET ".secret"

/* Every user may make tokens for itself, and all of them share one file of bounded size. */
#define TOKENS_OF_USER_MAX 200

static char *full_id(const struct api_request *req)
{
	return xasprintf("%s!%s", api_str(req, "userid"), api_str(req, "tokenid"));
}

static int check(struct api_request *req, struct err *err)
{
	const char *userid = api_str(req, "userid");
	struct cfg_user *user;
	int r = 0;

	if (!rights_is_self(&req->who, userid))
		r = rights_check_user(req->core->access, &req->who, userid, PRIV(USER_MODIFY),
				      false, err);
	return r < 0 ? r : usercfg_user(access_usercfg(req->core->access), userid, &user, err);
}

static void info_members(struct json *j, const struct cfg_token *token)
{
	json_kv_bool(j, "privsep", token->privsep);
	json_kv_uint(j, "expire", token->expire);
	if (token->comment)
		json_kv_string(j, "comment", token->comment);
}

static int write_info(struct api_request *req, struct err *err)
{
	autofree char *id = full_id(req);
	struct cfg_token *token;
	int r = usercfg_token(access_usercfg(req->core->access), id, &token, err);

	if (r < 0)
		return r;
	json_object_begin(&req->json);
	info_members(&req->json, token);
	json_object_end(&req->json);
	return 0;
}

static int list_tokens(struct api_request *req, struct err *err)
{
	autofree char *prefix = xasprintf("%s!", api_str(req, "userid"));
	struct json *j = &req->json;
	const char *id;
	int r = check(req, err);

	if (r < 0)
		return r;
	const struct map *tokens = access_usercfg(req->core->access)->tokens;
	json_array_begin(j);
	for (const struct cfg_token *t = map_first(tokens, prefix, &id);
	     t && str_starts(id, prefix); t = map_next(tokens, id, &id)) {
		json_object_begin(j);
		json_kv_string(j, "tokenid", str_after(id, prefix));
		info_members(j, t);
		json_object_end(j);
	}
	json_array_end(j);
	return 0;
}

static int get_token(struct api_request *req, struct err *err)
{
	int r = check(req, err);

	return r < 0 ? r : write_info(req, err);
}

static void take_fields(const struct api_request *req, struct cfg_token *token)
{
	api_take_text(req, "comment", &token->comment);
	token->privsep = api_bool(req, "privsep", token->privsep);
	token->expire = (uint64_t)api_int(req, "expire", (int64_t)token->expire);
}

static int check_count(const struct api_request *req, const struct usercfg *cfg, struct err *err)
{
	autofree char *prefix = xasprintf("%s!", api_str(req, "userid"));
	const char *id;
	size_t count = 0;

	for (const void *t = map_first(cfg->tokens, prefix, &id); t && str_starts(id, prefix);
	     t = map_next(cfg->tokens, id, &id))
		count++;
	if (count > TOKENS_OF_USER_MAX)
		return err_set(err, ERR_LIMIT, "a user has at most %d tokens", TOKENS_OF_USER_MAX);
	return 0;
}

static int apply_create(struct api_request *req, struct access_draft *draft, struct err *err)
{
	autofree char *id = full_id(req);
	char digest[SHA256_HEX_SIZE];
	struct cfg_token *token;
	int r = usercfg_add_token(draft->cfg, id, &token, err);

	if (r == 0)
		r = check_count(req, draft->cfg, err);
	if (r < 0)
		return r;
	take_fields(req, token);
	token_digest(api_str(req, KEEP_SECRET), digest);
	secrets_put(draft->tokens, id, digest);
	return 0;
}

static int finish_create(struct api_request *req, struct err *err)
{
	autofree char *id = full_id(req);
	struct json *j = &req->json;
	int r;

	json_object_begin(j);
	json_kv_string(j, "full-tokenid", id);
	json_key(j, "info");
	r = write_info(req, err);
	json_kv_string(j, "value", api_str(req, KEEP_SECRET));
	json_object_end(j);
	return r;
}

static int create_token(struct api_request *req, struct err *err)
{
	char secret[TOKEN_SECRET_SIZE];
	int r = check(req, err);

	if (r < 0)
		return r;
	token_secret_make(secret);
	fields_set(&req->params, KEEP_SECRET, secret);
	return api_access_edit(req, apply_create, finish_create, err);
}

static int take_deletions(const struct api_request *req, struct cfg_token *token, struct err *err)
{
	autostrv char **names = api_list(req, "delete");

	for (char **name = names; *name; name++) {
		if (api_str(req, *name))
			return err_field(err, "delete", "'%s' cannot be set and deleted at once",
					 *name);
		if (str_eq(*name, "comment"))
			xreplace(&token->comment, NULL);
		else if (str_eq(*name, "expire"))
			token->expire = 0;
		else if (str_eq(*name, "privsep"))
			token->privsep = true;
		else
			return err_field(err, "delete", "unknown property '%s'", *name);
	}
	return 0;
}

static int apply_update(struct api_request *req, struct access_draft *draft, struct err *err)
{
	autofree char *id = full_id(req);
	struct cfg_token *token;
	int r = usercfg_token(draft->cfg, id, &token, err);

	if (r < 0)
		return r;
	take_fields(req, token);
	return take_deletions(req, token, err);
}

static int update_token(struct api_request *req, struct err *err)
{
	int r = check(req, err);

	return r < 0 ? r : api_access_edit(req, apply_update, write_info, err);
}

static int apply_delete(struct api_request *req, struct access_draft *draft, struct err *err)
{
	autofree char *id = full_id(req);

	secrets_remove(draft->tokens, id);
	return usercfg_remove_token(draft->cfg, id, err);
}

static int delete_token(struct api_request *req, struct err *err)
{
	int r = check(req, err);

	return r < 0 ? r : api_access_edit(req, apply_delete, NULL, err);
}

#define USERID                                                                                     \
	{                                                                                          \
		.name = "userid", .format = "pve-userid", .has_max = true,                         \
		.max = USERCFG_USERID_MAX, .text = "The user, as name@realm."                      \
	}
#define TOKENID                                                                                    \
	{                                                                                          \
		.name = "tokenid", .pattern = "[A-Za-z][A-Za-z0-9._-]+", .has_max = true,          \
		.max = USERCFG_NAME_MAX, .text = "The token's own name."                           \
	}
#define ATTRIBUTES                                                                                 \
	{.name = "comment",                                                                        \
	 .optional = true,                                                                         \
	 .has_max = true,                                                                          \
	 .max = USERCFG_TEXT_MAX,                                                                  \
	 .text = "Free text."},                                                                    \
		{.name = "expire",                                                                 \
		 .type = PARAM_INTEGER,                                                            \
		 .optional = true,                                                                 \
		 .has_min = true,                                                                  \
		 .min = 0,                                                                         \
		 .has_max = true,                                                                  \
		 .max = 253402300799.0, /* the year 9999 */                                        \
		 .text = "When the token ends, seconds since 1970; 0: with its user."},            \
	{                                                                                          \
		.name = "privsep", .type = PARAM_BOOLEAN, .optional = true, .default_text = "1",   \
		.text = "Give the token only what its own ACL entries allow, instead of all of "   \
			"the user's rights."                                                       \
	}

static const struct param list_params[] = {USERID, PARAM_END};
static const struct param name_params[] = {USERID, TOKENID, PARAM_END};
static const struct param create_params[] = {USERID, TOKENID, ATTRIBUTES, PARAM_END};
static const struct param update_params[] = {
	USERID,
	TOKENID,
	ATTRIBUTES,
	{.name = "delete",
	 .format = "pve-configid-list",
	 .optional = true,
	 .has_max = true,
	 .max = 256,
	 .text = "List of properties to set back."},
	PARAM_END,
};

#define MAY_USE                                                                                    \
	{                                                                                          \
		.kind = API_HANDLER, .text = "The user itself, or User.Modify over a group of "    \
					     "the user. Tokens of root@pam: "                      \
					     "root@pam alone."                                     \
	}
#define INFO                                                                                       \
	"\"comment\":{\"type\":\"string\",\"optional\":1},"                                        \
	"\"expire\":{\"type\":\"integer\",\"optional\":1,\"minimum\":0},"                          \
	"\"privsep\":{\"type\":\"boolean\",\"optional\":1,\"default\":1}"
#define INFO_OBJECT "{\"type\":\"object\",\"properties\":{" INFO "}}"

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/access/users/{userid}/token",
	 .text = "List the API tokens of a user.",
	 .params = list_params,
	 .permission = MAY_USE,
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{" INFO
		    ",\"tokenid\":{\"type\":\"string\"}}}}",
	 .handle = list_tokens},
	{.verb = API_GET,
	 .path = "/access/users/{userid}/token/{tokenid}",
	 .text = "Show an API token.",
	 .params = name_params,
	 .permission = MAY_USE,
	 .returns = INFO_OBJECT,
	 .handle = get_token},
	{.verb = API_POST,
	 .path = "/access/users/{userid}/token/{tokenid}",
	 .text = "Create an API token; its secret is shown this once.",
	 .params = create_params,
	 .permission = MAY_USE,
	 .returns = "{\"type\":\"object\",\"properties\":{"
		    "\"full-tokenid\":{\"type\":\"string\"},\"info\":" INFO_OBJECT ","
		    "\"value\":{\"type\":\"string\"}}}",
	 .handle = create_token},
	{.verb = API_PUT,
	 .path = "/access/users/{userid}/token/{tokenid}",
	 .text = "Change an API token.",
	 .params = update_params,
	 .permission = MAY_USE,
	 .returns = INFO_OBJECT,
	 .handle = update_token},
	{.verb = API_DELETE,
	 .path = "/access/users/{userid}/token/{tokenid}",
	 .text = "Delete an API token, with its ACL entries.",
	 .params = name_params,
	 .permission = MAY_USE,
	 .returns = "{\"type\":\"null\"}",
	 .handle = delete_token},
};

const struct api_table api_table_access_tokens = {routes, ARRAY_SIZE(routes)};
