/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Backups that are kept and those that go: the helper that tells, the job that removes. */
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/host/helper.h"
#include "agent/task/host/jobs.h"
#include "agent/task/host/volume.h"
#include "storage/volid/prune.h"

struct backups {
	const char *type; /* NULL: both */
	uint64_t vmid;	  /* 0: all */
	struct prune_backup *items;
	size_t count;
};

static int see(const struct volume_info *info, void *ctx)
{
	struct backups *all = ctx;
	struct prune_backup backup = {.is_protected = info->is_protected, .ctime = info->ctime};
	struct volid volume;
	if (!str_eq(info->content, "backup") || volid_parse(info->volid, &volume, NULL) < 0 ||
	    (all->vmid && volume.vmid != all->vmid))
		return 0;
	prune_name_parse(&volume, &backup);
	if (all->type && !str_eq(backup.type, all->type))
		return 0;
	all->items = xrealloc(all->items, all->count + 1, sizeof(*all->items));
	all->items[all->count++] = backup;
	return 0;
}

/* The rule of the call, or else the storage's. */
static int find(const struct fields *args, struct volume_target *target, struct backups *ret,
		struct err *err)
{
	const char *rule = fields_get(args, "prune-backups");
	int r = volume_target_storage(args, target, err);
	ret->type = fields_get(args, "backup-type");
	if (r == 0)
		r = volume_arg_u64(args, "vmid", 0, &ret->vmid, err);
	if (r == 0)
		r = target->driver->activate(&target->def, err);
	if (r == 0)
		r = target->driver->list(&target->def, see, ret, err);
	return r < 0 ? r
		     : prune_mark(rule ? rule : storage_def_get(&target->def, "prune-backups"),
				  ret->items, ret->count, err);
}

int helper_prune(const struct fields *args, struct buf *out, struct err *err)
{
	autotarget target = {0};
	struct backups all = {0};
	struct json j;
	int r = find(args, &target, &all, err);
	json_init(&j, out);
	json_array_begin(&j);
	for (size_t i = 0; r == 0 && i < all.count; i++) {
		json_object_begin(&j);
		json_kv_string(&j, "volid", all.items[i].volid);
		json_kv_uint(&j, "ctime", all.items[i].ctime);
		json_kv_string(&j, "mark", prune_mark_name(all.items[i].mark));
		json_kv_string(&j, "type", all.items[i].type[0] ? all.items[i].type : "unknown");
		if (all.items[i].vmid)
			json_kv_uint(&j, "vmid", all.items[i].vmid);
		json_object_end(&j);
	}
	json_array_end(&j);
	free(all.items);
	return r;
}

static int remove_one(const struct volume_target *target, const struct prune_backup *backup,
		      struct err *err)
{
	struct volid volume;
	int r = task_check_cancelled(err);
	if (r == 0)
		r = volid_parse(backup->volid, &volume, err);
	if (r < 0)
		return r;
	task_log("removing %s", backup->volid);
	return target->driver->free(&target->def, &volume, err);
}

int job_prunebackups(struct task_ctx *task, struct err *err)
{
	autotarget target = {0};
	struct backups all = {0};
	int r = find(&task->args, &target, &all, err);
	for (size_t i = 0; r == 0 && i < all.count; i++) {
		if (all.items[i].mark == PRUNE_REMOVE)
			r = remove_one(&target, &all.items[i], err);
		else
			task_log("%s: %s", prune_mark_name(all.items[i].mark), all.items[i].volid);
	}
	free(all.items);
	return r;
}
