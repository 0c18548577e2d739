/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST /storage, PUT and DELETE /storage/{storage}: changes of /storage.cfg. A new storage of this node is
 * tried by a helper before it is written. Core's loop. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/api/access_edit.h"
#include "agent/api/guest_request.h"
#include "agent/api/storage_keys.h"
#include "agent/api/storage_use.h"
#include "agent/base/digest.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/core/storages.h"
#include "storage/volid/storage_rules.h"

#define CFG_PATH    "/storage.cfg"
#define TRY_TIMEOUT (20 * USEC_PER_SEC)
#define CONTENT	    "images,rootdir" /* what a definition without the key means */

/* The stored definitions as text and as a list of our own to change. */
struct draft {
	struct storage_cfg cfg;
	struct store_value now; /* version 0: there is none yet */
};

static void draft_fini(struct draft *draft)
{
	storage_cfg_fini(&draft->cfg);
}
#define autodraft __attribute__((cleanup(draft_fini))) struct draft

static int draft_begin(const struct api_request *req, struct draft *ret, struct err *err)
{
	struct draft draft = {0};
	if (!store_get(req->core->store, CFG_PATH, &draft.now))
		draft.now = (struct store_value){.data = "", .size = 0};
	int r = storage_cfg_parse(draft.now.data, draft.now.size, &draft.cfg, err);
	if (r == 0)
		*ret = draft;
	return r;
}

typedef int (*commit_fn)(struct api_request *req, const struct store_txn *txn, api_then_fn next,
			 struct err *err);

static int draft_commit(struct api_request *req, const struct draft *draft, commit_fn commit,
			api_then_fn next, struct err *err)
{
	autobuf text = BUF_INIT;
	struct storage_cfg again = {0};
	storage_cfg_format(&draft->cfg, &text);
	/* what could not be read back must not be written */
	int r = storage_cfg_parse(buf_str(&text), text.size, &again, err);
	storage_cfg_fini(&again);
	if (r < 0)
		return r;
	const struct store_precondition unchanged = {.path = CFG_PATH,
						     .version = draft->now.version};
	const struct store_op op = {
		.kind = STORE_PUT, .path = CFG_PATH, .value = buf_str(&text), .size = text.size};
	const struct store_txn txn = {
		.preconditions = &unchanged, .precondition_count = 1, .ops = &op, .op_count = 1};
	return commit(req, &txn, next, err);
}

static struct storage_def *draft_find(struct draft *draft, const char *id)
{
	return (struct storage_def *)storage_cfg_find(&draft->cfg, id);
}

static bool is_key(const char *name)
{
	return param_find(storage_keys_both, name) ||
	       (param_find(storage_keys_create, name) && !str_eq(name, "storage") &&
		!str_eq(name, "type"));
}

/* An empty value takes a key away, as many clients send it. */
static void set_keys(const struct api_request *req, struct storage_def *def)
{
	for (size_t i = 0; i < req->params.count; i++) {
		const struct field *f = &req->params.items[i];
		if (!is_key(f->name))
			continue;
		if (f->size > 0)
			fields_set(&def->keys, f->name, f->value);
		else
			fields_remove(&def->keys, f->name);
	}
}

static int check(const struct draft *draft, const struct storage_def *def, struct err *err)
{
	int r = storage_rules_check(def, err);
	return r < 0 ? r : storage_rules_check_place(&draft->cfg, def, path_state(), err);
}

/* Where its folders lie is being said. */
static int check_folders(const struct api_request *req, const struct storage_def *def,
			 struct err *err)
{
	return guest_request_is_root(req) ? 0 : storage_rules_check_others(def, err);
}

static int write_result(struct api_request *req, struct err *err)
{
	const struct storage_def *def;
	int r = storage_find(req, &def, err);
	if (r < 0)
		return r;
	json_object_begin(&req->json);
	json_kv_string(&req->json, "storage", def->id);
	json_kv_string(&req->json, "type", def->type);
	json_object_end(&req->json);
	return 0;
}

/* -- create ------------------------------------------------------------------------------------ */

/* The new definition, checked against those that are there now, as the last one of the draft. */
static int add_new(const struct api_request *req, struct draft *draft, struct err *err)
{
	const char *id = api_str(req, "storage");
	if (storage_cfg_find(&draft->cfg, id))
		return err_set(err, ERR_EXISTS, "storage ID '%s' already defined", id);
	if (draft->cfg.count >= STORAGE_CFG_MAX)
		return err_set(err, ERR_LIMIT, "more than %d storages", STORAGE_CFG_MAX);
	struct storage_def def = {.type = xstrdup(api_str(req, "type")), .id = xstrdup(id)};
	set_keys(req, &def);
	if (!storage_def_get(&def, "content"))
		fields_add(&def.keys, "content", CONTENT);
	int r = check(draft, &def, err);
	if (r == 0)
		r = check_folders(req, &def, err);
	if (r < 0) {
		storage_def_fini(&def);
		return r;
	}
	draft->cfg.items =
		xrealloc(draft->cfg.items, draft->cfg.count + 1, sizeof(*draft->cfg.items));
	draft->cfg.items[draft->cfg.count++] = def;
	return 0;
}

static int write_new(struct api_request *req, struct err *err)
{
	autodraft draft = {0};
	int r = draft_begin(req, &draft, err);
	if (r == 0)
		r = add_new(req, &draft, err);
	return r < 0 ? r : draft_commit(req, &draft, api_store, write_result, err);
}

static int tried(struct api_request *req, struct buf *output, struct err *err)
{
	(void)output;
	return write_new(req, err);
}

static int create_storage(struct api_request *req, struct err *err)
{
	autodraft draft = {0};
	autofields args = FIELDS_INIT;
	int r = draft_begin(req, &draft, err);
	if (r == 0)
		r = add_new(req, &draft, err);
	if (r < 0)
		return r;
	const struct storage_def *def = &draft.cfg.items[draft.cfg.count - 1];
	if (!storage_is_enabled(def) || !storage_def_is_on_node(def, req->core->node))
		return write_new(req, err);
	storage_def_encode(def, &args);
	return api_run_helper(req, "storage-status", &args, TRY_TIMEOUT, tried, err);
}

/* -- change ------------------------------------------------------------------------------------ */

static int check_digest(const struct api_request *req, const struct draft *draft, struct err *err)
{
	char digest[SHA1_HEX_SIZE];
	const char *wanted = api_str(req, "digest");
	if (str_is_empty(wanted))
		return 0;
	digest_sha1_hex(draft->now.data, draft->now.size, digest);
	if (strcasecmp(digest, wanted) == 0)
		return 0;
	return err_set(err, ERR_CONFLICT,
		       "detected modified configuration - file changed by other user? Try again.");
}

static int delete_keys(const struct api_request *req, struct storage_def *def, struct err *err)
{
	const char *list = api_str(req, "delete");
	autostrv char **names = str_split(list ? list : "", ",; ");
	for (size_t i = 0; names[i]; i++) {
		if (!param_find(storage_keys_both, names[i]))
			return err_field(err, "delete", "unknown property '%s'", names[i]);
		if (api_str(req, names[i]))
			return err_field(err, "delete", "'%s' is set and deleted at once",
					 names[i]);
		fields_remove(&def->keys, names[i]);
	}
	return 0;
}

static int update_storage(struct api_request *req, struct err *err)
{
	autodraft draft = {0};
	int r = draft_begin(req, &draft, err);
	if (r < 0)
		return r;
	struct storage_def *def = draft_find(&draft, api_str(req, "storage"));
	if (!def)
		return err_set(err, ERR_NOT_FOUND, "storage '%s' does not exist",
			       api_str(req, "storage"));
	r = check_digest(req, &draft, err);
	if (r == 0)
		r = delete_keys(req, def, err);
	if (r < 0)
		return r;
	set_keys(req, def);
	r = check(&draft, def, err);
	if (r == 0 && api_str(req, "content-dirs"))
		r = check_folders(req, def, err);
	return r < 0 ? r : draft_commit(req, &draft, api_store, write_result, err);
}

/* -- delete ------------------------------------------------------------------------------------ */

static int removed(struct api_request *req, struct err *err)
{
	(void)req;
	(void)err;
	return 0;
}

static int forget(struct api_request *req, struct access_draft *draft, struct err *err)
{
	autofree char *path = xasprintf("/storage/%s", api_str(req, "storage"));

	(void)err;
	(void)usercfg_forget_path(draft->cfg, path);
	return 0;
}

/* Rights on it, and its places in pools, are not the next one's of that name. */
static int commit_removal(struct api_request *req, const struct store_txn *txn, api_then_fn next,
			  struct err *err)
{
	return api_access_edit_with(req, forget, next, txn, err);
}

/* The definition only: what lies there stays. */
static int delete_storage(struct api_request *req, struct err *err)
{
	autodraft draft = {0};
	int r = draft_begin(req, &draft, err);
	if (r < 0)
		return r;
	struct storage_def *def = draft_find(&draft, api_str(req, "storage"));
	if (!def)
		return err_set(err, ERR_NOT_FOUND, "storage '%s' does not exist",
			       api_str(req, "storage"));
	storage_def_fini(def);
	size_t at = (size_t)(def - draft.cfg.items);
	memmove(def, def + 1, (--draft.cfg.count - at) * sizeof(*def));
	return draft_commit(req, &draft, commit_removal, removed, err);
}

/* -- tables ------------------------------------------------------------------------------------ */

static const struct param update_params[] = {
	PARAM_STORAGE,
	{.name = "delete",
	 .optional = true,
	 .format = "pve-configid-list",
	 .has_max = true,
	 .max = 4096,
	 .text = "Properties to take away."},
	{.name = "digest",
	 .optional = true,
	 .has_max = true,
	 .max = 64,
	 .text = "Only if the definitions have this digest now."},
	PARAM_END,
};

static const struct param delete_params[] = {
	PARAM_STORAGE,
	PARAM_END,
};

#define MAY_CHANGE                                                                                 \
	{                                                                                          \
		.kind = API_CHECK, .path = "/storage", .privs = "Datastore.Allocate"               \
	}
#define RESULT                                                                                     \
	"{\"type\":\"object\",\"properties\":{\"storage\":{\"type\":\"string\"},"                  \
	"\"type\":{\"type\":\"string\"}}}"

static const struct api_route routes[] = {
	{.verb = API_POST,
	 .path = "/storage",
	 .text = "Define a storage.",
	 .params = storage_keys_create,
	 .more = storage_keys_both,
	 .permission = MAY_CHANGE,
	 .returns = RESULT,
	 .handle = create_storage},
	{.verb = API_PUT,
	 .path = "/storage/{storage}",
	 .text = "Change the definition of a storage.",
	 .params = update_params,
	 .more = storage_keys_both,
	 .permission = MAY_CHANGE,
	 .returns = RESULT,
	 .handle = update_storage},
	{.verb = API_DELETE,
	 .path = "/storage/{storage}",
	 .text = "Remove the definition of a storage, with rights on it; its content stays.",
	 .params = delete_params,
	 .permission = MAY_CHANGE,
	 .returns = "{\"type\":\"null\"}",
	 .handle = delete_storage},
};

const struct api_table api_table_storage_edit = {routes, ARRAY_SIZE(routes)};
