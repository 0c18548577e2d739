/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What creations make, and undoing them. Runs in jobs. */
#include "agent/task/guest/creation.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/underway.h"
#include "agent/task/guest/forget.h"
#include "agent/task/guest/storage.h"

#define LOCK  "create"
#define TRIES 10

void guest_creation_note(struct guest_config *config, const char *volid)
{
	guest_underway_note(config, UNDERWAY_CREATE, volid, NULL);
}

void guest_creation_disown(struct guest_config *config, const char *volid)
{
	guest_underway_drop(config, UNDERWAY_CREATE, volid, NULL);
}

void guest_creation_end(struct guest_config *config)
{
	guest_underway_drop(config, UNDERWAY_CREATE, NULL, NULL);
	if (str_eq(guest_config_get(config, "lock"), LOCK))
		guest_config_delete(config, "lock");
}

/* What is not ours is forgotten by the same write: the next undo does not know it from ours. */
static int claim_once(struct task_ctx *task, const struct guest_creation *creation,
		      struct guest_config *config, struct err *err)
{
	const struct fields *foreign = creation->foreign;
	uint64_t version;
	int r = task_config_get(task, creation->ops->name, config, &version, err);

	if (r < 0)
		return r;
	for (size_t i = 0; foreign && i < foreign->count; i++)
		guest_creation_disown(config, foreign->items[i].name);
	if (!str_eq(guest_config_get(config, "lock"), LOCK))
		r = err_set(err, ERR_NOT_FOUND, "guest %u is not being created", task->guest);
	else
		r = task_config_put(task, creation->ops->name, config, version, err);
	guest_config_fini(config);
	return r;
}

static int claim(struct task_ctx *task, const struct guest_creation *creation, struct err *err)
{
	struct guest_config config;
	int r = -ERR_CONFLICT;

	for (int i = 0; r == -ERR_CONFLICT && i < TRIES; i++)
		r = claim_once(task, creation, &config, err);
	return r;
}

/* A storage that is no more has nothing of it: that would fail for ever. */
static int free_one(struct task_ctx *task, const struct guest_kind_ops *ops, const char *volid,
		    struct err *err)
{
	struct err why = ERR_INIT;
	struct volid volume;
	int r = volid_parse(volid, &volume, err);

	if (r < 0)
		return r;
	task_log("removing volume %s", volid);
	volume.content = ops->content;
	r = task_volume_free(task, &volume, ops->content, &why);
	if (r == -ERR_NOT_FOUND)
		task_warn(task, "volume %s is left: %s", volid, why.message);
	else if (r < 0)
		return err_set(err, (enum err_code)why.code, "%s", why.message);
	return 0;
}

static int free_made(struct task_ctx *task, const struct guest_kind_ops *ops,
		     const struct guest_config *config, struct err *err)
{
	autofields made = FIELDS_INIT;
	int r = 0;

	guest_underway_volumes(config, UNDERWAY_CREATE, NULL, &made);
	for (size_t i = 0; r == 0 && i < made.count; i++)
		r = free_one(task, ops, made.items[i].name, err);
	return r;
}

static int remove_all(struct task_ctx *task, const struct guest_creation *creation, struct err *err)
{
	const char *kind = creation->ops->name;
	struct guest_config config;
	uint64_t version;
	int r = task_config_get(task, kind, &config, &version, err);

	if (r < 0)
		return r;
	if (str_eq(guest_config_get(&config, "lock"), LOCK)) {
		if (creation->clean)
			creation->clean(task->guest);
		if ((r = free_made(task, creation->ops, &config, err)) == 0)
			r = task_guest_forget(task, kind, version, true, err);
	}
	guest_config_fini(&config);
	return r;
}

int guest_creation_undo(struct task_ctx *task, const struct guest_creation *creation,
			struct err *err)
{
	int r = claim(task, creation, err);

	if (r == 0)
		r = remove_all(task, creation, err);
	return r == -ERR_NOT_FOUND ? 0 : r;
}
