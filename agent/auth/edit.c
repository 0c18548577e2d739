/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Optimistic changes of the access configuration, one after the other: those of this node never
 * refuse each other. Runs in the core's loop. */
#include "agent/auth/edit.h"

#include <string.h>

#include "agent/auth/access_internal.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define FILES 3

/* One file of the draft: what is stored, and what shall be. */
struct draft_file {
	const char *path;
	const char *old; /* borrowed from the store; "" if absent */
	size_t old_size;
	uint64_t version; /* 0: absent */
	struct buf text;
};

struct edit {
	struct access_op op;	 /* while it is under way */
	struct list queue;	 /* while it waits for those before it */
	struct access_edit spec; /* its `who` and `with` are the caller's and not used later */
	char *who;
	struct with {
		struct store_precondition *preconditions;
		size_t precondition_count;
		struct store_op *ops;
		size_t op_count;
	} with; /* owned, with all that they point to */
	unsigned tries;
};

static void with_fini(struct with *with)
{
	for (size_t i = 0; i < with->precondition_count; i++)
		free((char *)with->preconditions[i].path);
	for (size_t i = 0; i < with->op_count; i++) {
		free((char *)with->ops[i].path);
		free((char *)with->ops[i].to);
		free((void *)with->ops[i].value);
	}
	free(with->preconditions);
	free(with->ops);
}

static void with_copy(const struct store_txn *txn, struct with *ret)
{
	*ret = (struct with){
		.preconditions = xcalloc(txn->precondition_count + 1, sizeof(*ret->preconditions)),
		.ops = xcalloc(txn->op_count + 1, sizeof(*ret->ops)),
		.precondition_count = txn->precondition_count,
		.op_count = txn->op_count,
	};
	for (size_t i = 0; i < txn->precondition_count; i++) {
		ret->preconditions[i] = txn->preconditions[i];
		ret->preconditions[i].path = xstrdup(txn->preconditions[i].path);
	}
	for (size_t i = 0; i < txn->op_count; i++) {
		ret->ops[i] = txn->ops[i];
		ret->ops[i].path = xstrdup(txn->ops[i].path);
		ret->ops[i].to = xstrdup(txn->ops[i].to);
		ret->ops[i].value = xmemdup(txn->ops[i].value ?: "", txn->ops[i].size);
	}
}

static void edit_free(struct edit *edit)
{
	with_fini(&edit->with);
	free(edit->who);
	free(edit);
}

static void files_fini(struct draft_file (*files)[FILES])
{
	for (size_t i = 0; i < FILES; i++) {
		struct buf *text = &(*files)[i].text;

		if (text->data)
			explicit_bzero(text->data, text->size);
		buf_fini(text);
	}
}

static void draft_fini(struct access_draft *draft)
{
	usercfg_free(draft->cfg);
	secrets_free(draft->shadow);
	secrets_free(draft->tokens);
}

static void file_find(const struct store *store, const char *path, struct draft_file *file)
{
	struct store_value value = {.data = ""};

	store_get(store, path, &value);
	file->path = path;
	file->old = value.data;
	file->old_size = value.size;
	file->version = value.version;
}

/* Parsed anew from the stored text: a private copy, and a damaged file is not overwritten. */
static int draft_parse(struct draft_file files[FILES], struct access_draft *draft, struct err *err)
{
	if (usercfg_parse(files[0].old, files[0].old_size, &draft->cfg, err) < 0)
		return err_prefix(err, "%s", files[0].path);
	if (secrets_parse(files[1].old, files[1].old_size, &draft->shadow, err) < 0)
		return err_prefix(err, "%s", files[1].path);
	if (secrets_parse(files[2].old, files[2].old_size, &draft->tokens, err) < 0)
		return err_prefix(err, "%s", files[2].path);
	return 0;
}

/* What cannot be read back would lock everybody out: it is never written. */
static int check_readable(const struct draft_file files[FILES], struct err *err)
{
	__attribute__((cleanup(draft_fini))) struct access_draft again = {0};
	struct draft_file written[FILES];

	for (size_t i = 0; i < FILES; i++)
		written[i] =
			(struct draft_file){.path = files[i].path,
					    .old = files[i].text.size ? files[i].text.data : "",
					    .old_size = files[i].text.size};
	return draft_parse(written, &again, err) < 0 ? err_prefix(err, "the change was not made")
						     : 0;
}

static int draft_make(struct edit *edit, struct draft_file files[FILES], struct err *err)
{
	__attribute__((cleanup(draft_fini))) struct access_draft draft = {0};
	const struct store *store = edit->op.access->store;
	int r;

	file_find(store, PATH_USER_CFG, &files[0]);
	file_find(store, PATH_SHADOW_CFG, &files[1]);
	file_find(store, PATH_TOKEN_CFG, &files[2]);
	r = draft_parse(files, &draft, err);
	if (r < 0)
		return r;
	r = edit->spec.apply(&draft, edit->spec.ctx, err);
	if (r < 0)
		return r;
	usercfg_format(draft.cfg, &files[0].text);
	secrets_format(draft.shadow, &files[1].text);
	secrets_format(draft.tokens, &files[2].text);
	return check_readable(files, err);
}

static bool is_changed(const struct draft_file *file)
{
	return file->text.size != file->old_size ||
	       (file->old_size > 0 && memcmp(file->text.data, file->old, file->old_size) != 0);
}

static void on_result(const struct store_result *result, void *ctx);

static int submit(struct edit *edit, const struct draft_file files[FILES], struct err *err)
{
	const struct with *with = &edit->with;
	autofree struct store_precondition *preconditions =
		xcalloc(FILES + with->precondition_count, sizeof(*preconditions));
	autofree struct store_op *ops = xcalloc(FILES + with->op_count, sizeof(*ops));
	size_t op_count = 0;
	struct store_txn txn = {
		.who = edit->who,
		.preconditions = preconditions,
		.precondition_count = FILES + with->precondition_count,
		.ops = ops,
	};

	/* the decision may rest on any of the three */
	for (size_t i = 0; i < FILES; i++) {
		preconditions[i] = (struct store_precondition){.path = files[i].path,
							       .version = files[i].version};
		if (is_changed(&files[i]))
			ops[op_count++] = (struct store_op){
				.kind = STORE_PUT,
				.path = files[i].path,
				.value = buf_str((struct buf *)&files[i].text),
				.size = files[i].text.size,
			};
	}
	for (size_t i = 0; i < with->precondition_count; i++)
		preconditions[FILES + i] = with->preconditions[i];
	for (size_t i = 0; i < with->op_count; i++)
		ops[op_count++] = with->ops[i];
	if (op_count == 0)
		return ACCESS_EDIT_UNCHANGED;
	txn.op_count = op_count;
	return store_submit(edit->op.access->store, &txn, on_result, edit, err);
}

static int edit_try(struct edit *edit, struct err *err)
{
	__attribute__((cleanup(files_fini))) struct draft_file files[FILES] = {0};
	int r;

	edit->tries++;
	r = draft_make(edit, files, err);
	return r < 0 ? r : submit(edit, files, err);
}

/* The first attempt: 0 while it is under way. */
static int edit_start(struct access *access, struct edit *edit, struct err *err)
{
	int r;

	access->edit_under_way = edit;
	access_op_start(access, &edit->op);
	r = edit_try(edit, err);
	if (r != 0) {
		access_op_end(&edit->op);
		access->edit_under_way = NULL;
	}
	return r;
}

static void edit_end(struct edit *edit, const struct err *err)
{
	edit->spec.done(err, edit->spec.ctx);
	edit_free(edit);
}

static void start_next(struct access *access)
{
	while (!access->edit_under_way && !list_is_empty(&access->edits)) {
		struct edit *edit = CONTAINER_OF(access->edits.next, struct edit, queue);
		struct err err = ERR_INIT;

		list_remove(&edit->queue);
		if (edit_start(access, edit, &err) != 0)
			edit_end(edit, &err);
	}
}

/* Refused: somebody else, on another node, was faster. 0 while it is under way again. */
static int edit_again(struct edit *edit, size_t failed, struct err *err)
{
	const struct store_precondition *other =
		failed >= FILES && failed - FILES < edit->with.precondition_count
			? &edit->with.preconditions[failed - FILES]
			: NULL;

	if (other && other->version == 0)
		return err_set(err, ERR_EXISTS, "'%s' already exists", other->path);
	if (other)
		return err_set(err, ERR_CONFLICT,
			       "detected modified configuration - file changed by other user? "
			       "Try again.");
	if (edit->tries >= ACCESS_EDIT_TRIES)
		return err_set(err, ERR_CONFLICT,
			       "the access configuration keeps changing, try again");
	return edit_try(edit, err);
}

static void on_result(const struct store_result *result, void *ctx)
{
	struct edit *edit = ctx;
	struct err err = result->err;
	struct access *access = edit->op.access;

	if (access && result->outcome == STORE_REFUSED) {
		err = ERR_INIT;
		if (edit_again(edit, result->failed_precondition, &err) == 0)
			return;
	}
	access_op_end(&edit->op);
	if (access)
		access->edit_under_way = NULL;
	edit_end(edit, &err);
	if (access)
		start_next(access);
}

int access_edit(struct access *access, const struct access_edit *spec, struct err *err)
{
	struct edit *edit = xcalloc(1, sizeof(*edit));
	int r;

	edit->spec = *spec;
	edit->who = xstrdup(spec->who);
	if (spec->with)
		with_copy(spec->with, &edit->with);
	if (access->edit_under_way || !list_is_empty(&access->edits)) {
		list_append(&access->edits, &edit->queue);
		return 0;
	}
	r = edit_start(access, edit, err);
	if (r != 0)
		edit_free(edit);
	return r;
}

void access_edits_drop(struct access *access)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_UNAVAILABLE, "the agent is stopping");
	LIST_FOREACH (&access->edits, edit, struct edit, queue) {
		list_remove(&edit->queue);
		edit_end(edit, &err);
	}
}
