/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the jobs that change configurations share. Runs in jobs. */
#include "agent/task/guest/change.h"

#include <strings.h>

#include "agent/base/digest.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/volumes.h"
#include "agent/task/guest/storage.h"

#define TRIES	   5
#define SEPARATORS ",; "

void guest_change_read(const struct task_ctx *task, const struct guest_kind_ops *ops,
		       struct guest_change *ret)
{
	*ret = (struct guest_change){.ops = ops,
				     .delete_list = fields_get(&task->args, "delete"),
				     .revert_list = fields_get(&task->args, "revert"),
				     .raw = fields_get(&task->args, "lxc"),
				     .owner = fields_get(&task->args, "serial")};
	for (size_t i = 0; i < task->args.count; i++) {
		const struct field *f = &task->args.items[i];
		const char *key = str_after(f->name, "set.");

		if (key)
			fields_add_n(&ret->set, key, f->value, f->size);
	}
}

void guest_change_fini(struct guest_change *change)
{
	fields_fini(&change->set);
	fields_fini(&change->made);
	fields_fini(&change->doomed);
}

/* The digest that must be there, or NULL: any. */
static const char *expected(const struct task_ctx *task, const struct guest_change *change)
{
	const char *known = fields_get(&task->args, "digest");

	if (!known || change->is_checked)
		return NULL;
	return change->written[0] ? change->written : known;
}

static int check(const struct task_ctx *task, const struct guest_change *change,
		 const struct guest_config *config, struct err *err)
{
	const char *lock = guest_config_get(config, "lock");
	const char *digest = expected(task, change);

	if (lock && !change->is_undone && !fields_get(&task->args, "skiplock"))
		return err_set(err, ERR_BUSY, "%s is locked (%s)", change->ops->label, lock);
	if (digest && strcasecmp(digest, config->digest) != 0)
		return err_set(
			err, ERR_CONFLICT,
			"detected modified configuration - file changed by other user? Try again.");
	return 0;
}

static int put(struct task_ctx *task, struct guest_change *change, struct guest_config *config,
	       uint64_t version, struct err *err)
{
	autobuf text = BUF_INIT;
	int r = task_config_put(task, change->ops->name, config, version, err);

	if (r < 0)
		return r;
	guest_config_format(config, &text);
	digest_sha1_hex(text.data, text.size, change->written);
	return 0;
}

int guest_change_edit(struct task_ctx *task, struct guest_change *change, guest_change_step step,
		      struct err *err)
{
	for (int i = 0;; i++) {
		struct guest_config config;
		uint64_t version;
		int r = task_config_get(task, change->ops->name, &config, &version, err);

		if (r < 0)
			return r;
		if ((r = check(task, change, &config, err)) == 0 &&
		    (r = step(task, change, &config, err)) == 0)
			r = put(task, change, &config, version, err);
		guest_config_fini(&config);
		if (r != -ERR_CONFLICT || expected(task, change) || i >= TRIES)
			return r;
	}
}

struct guest_update guest_change_update(const struct guest_change *change, bool is_running)
{
	return (struct guest_update){.set = &change->set,
				     .delete_list = change->delete_list,
				     .revert_list = change->revert_list,
				     .raw = change->raw,
				     .owner = change->owner,
				     .is_running = is_running};
}

char **guest_change_deleted(const struct guest_change *change)
{
	return str_split(change->delete_list ?: "", SEPARATORS);
}

int guest_change_free_volume(struct task_ctx *task, struct guest_change *change, const char *volid,
			     struct err *err)
{
	enum volume_content content = change->ops->content;
	const struct field *doom = volid_find(&change->doomed, volid);
	struct volid volume;
	int r = volid_parse(volid, &volume, err);

	if (r < 0)
		return r;
	volume.content = content; /* never a backup of the same guest */
	if ((r = task_volume_free(task, &volume, content, err)) == 0 && doom) {
		autofree char *name = xstrdup(doom->name);

		fields_set(&change->doomed, name, "freed");
	}
	return r;
}
