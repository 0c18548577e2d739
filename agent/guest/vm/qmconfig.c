/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: change the configuration; the core checked who may. Reads again when someone else was faster,
 * unless the caller named the digest that it knows. */
#include <strings.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/guest.h"
#include "agent/guest/update.h"
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm/control.h"

#define TRIES 5

static void changes(const struct task_ctx *task, struct fields *ret)
{
	for (size_t i = 0; i < task->args.count; i++) {
		const struct field *f = &task->args.items[i];
		const char *key = str_after(f->name, "set.");

		if (key)
			fields_add_n(ret, key, f->value, f->size);
	}
}

static int check(const struct task_ctx *task, const struct guest_config *config, struct err *err)
{
	const char *lock = guest_config_get(config, "lock");
	const char *digest = fields_get(&task->args, "digest");

	if (lock)
		return err_set(err, ERR_BUSY, "VM is locked (%s)", lock);
	if (digest && strcasecmp(digest, config->digest) != 0)
		return err_set(
			err, ERR_CONFLICT,
			"detected modified configuration - file changed by other user? Try again.");
	return 0;
}

static int change_once(struct task_ctx *task, const struct fields *set, struct err *err)
{
	struct guest_config config;
	struct vm_record record;
	uint64_t version;
	int r = task_config_get(task, "qemu", &config, &version, err);

	if (r < 0)
		return r;
	struct guest_update update = {
		.set = set,
		.delete_list = fields_get(&task->args, "delete"),
		.revert_list = fields_get(&task->args, "revert"),
		.is_running =
			vm_record_find(task->guest, &record) || vm_bool_arg(task, "is-running"),
	};

	r = check(task, &config, err);
	if (r == 0)
		r = guest_config_update(&guest_kind_vm, &config, &update, err);
	if (r == 0)
		r = task_config_put(task, "qemu", &config, version, err);
	guest_config_fini(&config);
	return r;
}

int qmconfig_run(struct task_ctx *task, struct err *err)
{
	autofields set = FIELDS_INIT;
	int r;

	changes(task, &set);
	for (int i = 0;; i++) {
		r = change_once(task, &set, err);
		if (r != -ERR_CONFLICT || fields_get(&task->args, "digest") || i >= TRIES)
			return r;
	}
}
