/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job volcopy: a copy of a volume under a given name. Guest volumes are made by the target's driver, everything else is
 * a file that comes in. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/guest/copy_progress.h"
#include "agent/task/guest/slot.h"
#include "agent/task/host/incoming.h"
#include "agent/task/host/jobs.h"
#include "storage/copy.h"

#define NOTES_MAX 65536

/* The arguments "to.…" without the prefix, and "target" as the volume. */
static int target_args(const struct fields *args, struct volume_target *ret, struct err *err)
{
	autofields own = FIELDS_INIT;
	for (size_t i = 0; i < args->count; i++)
		fields_add(&own, str_after(args->items[i].name, "to.") ?: "",
			   str_after(args->items[i].name, "to.") ? args->items[i].value : NULL);
	fields_add(&own, "volid", fields_get(args, "target"));
	return volume_target_volume(&own, ret, err);
}

/* -- guest volumes ----------------------------------------------------------------------------- */

static int check_absent(const struct volume_target *to, struct err *err)
{
	struct volume_info info;
	struct err why = ERR_INIT;
	int r = to->driver->info(&to->def, &to->volume, &info, &why);
	if (r == 0)
		return err_set(err, ERR_EXISTS, "volume '%s:%s' already exists", to->volume.storage,
			       to->volume.name);
	if (r != -ERR_NOT_FOUND && err)
		*err = why;
	return r == -ERR_NOT_FOUND ? 0 : r;
}

/* It has another name until it is complete: nothing that this job did not make is ever removed. */
static int name_copy(const char *made, const struct volume_target *to, struct err *err)
{
	struct volid copy;
	char volid[VOLID_MAX];
	int r = volid_parse(made, &copy, err);
	if (r == 0)
		r = task_check_cancelled(err);
	if (r == 0)
		r = to->driver->rename(&to->def, &copy, to->volume.file, volid, err);
	if (r < 0)
		(void)to->driver->free(&to->def, &copy, NULL);
	return r;
}

static int copy_guest_volume(struct task_ctx *task, const struct volume_target *from,
			     const struct volume_target *to, enum volume_content content,
			     struct err *err)
{
	char volid[VOLID_MAX], file[256];
	struct volid source = from->volume;
	source.content = content;
	storage_copy_name(to->volume.vmid, to->volume.format, file);
	const struct volume_copy copy = {.from = &from->def,
					 .volume = &source,
					 .to = &to->def,
					 .as = {.vmid = to->volume.vmid,
						.content = content,
						.format = to->volume.format,
						.name = file},
					 .is_stopped = task_is_cancelled,
					 .progress = copy_progress};
	int r = task_slot_enter(task, from->def.id, to->def.id, err);
	if (r == 0)
		r = check_absent(to, err);
	if (r < 0)
		return r;
	to->driver->sweep(&to->def, to->volume.vmid);
	r = volume_copy(&copy, volid, err);
	return r < 0 ? r : name_copy(volid, to, err);
}

/* What is unfinished tells by its name that its job is gone. */
int job_volcopy_undo(struct task_ctx *task, struct err *err)
{
	autotarget to = {0};
	int r = target_args(&task->args, &to, err);
	if (r == 0 && to.volume.vmid)
		to.driver->sweep(&to.def, to.volume.vmid);
	return r;
}

/* -- files ------------------------------------------------------------------------------------- */

static int open_file(const struct volume_target *from, int *ret, struct err *err)
{
	autobuf path = BUF_INIT;
	struct stat st;
	int r = from->driver->path(&from->def, &from->volume, &path, err);
	if (r < 0)
		return r;
	autofd int fd = open(buf_str(&path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, errno, "open '%s'", buf_str(&path));
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "'%s' is no file", buf_str(&path));
	*ret = TAKE_FD(fd);
	return 0;
}

/* Notes belong to backups alone; protection stays with the one that has it. */
static int copy_notes(const struct volume_target *from, const struct volume_target *to,
		      struct err *err)
{
	autobuf notes = BUF_INIT;
	if (from->volume.content != VOLUME_BACKUP)
		return 0;
	int r = from->driver->notes(&from->def, &from->volume, &notes, err);
	if (r < 0 || notes.size == 0)
		return r;
	return to->driver->set_attributes(&to->def, &to->volume, buf_str(&notes), NULL, err);
}

static int copy_file(const struct volume_target *from, const struct volume_target *to,
		     struct err *err)
{
	struct incoming in = INCOMING_INIT;
	autofields args = FIELDS_INIT;
	autofd int fd = -1;
	storage_def_encode(&to->def, &args);
	fields_add(&args, "content", volume_content_name(to->volume.content));
	fields_add(&args, "filename", to->volume.file);
	int r = open_file(from, &fd, err);
	if (r == 0)
		r = incoming_args(&args, &in, err);
	if (r == 0)
		r = incoming_begin(&in, err);
	if (r == 0)
		r = incoming_copy(&in, fd, err);
	if (r == 0)
		r = incoming_commit(&in, err);
	incoming_fini(&in);
	return r < 0 ? r : copy_notes(from, to, err);
}

int job_volcopy(struct task_ctx *task, struct err *err)
{
	autotarget from = {0}, to = {0};
	enum volume_content content;
	int r = volume_target_volume(&task->args, &from, err);
	if (r == 0)
		r = target_args(&task->args, &to, err);
	if (r == 0)
		r = volume_content_from_name(fields_get(&task->args, "content"), &content, err);
	if (r == 0)
		r = from.driver->activate(&from.def, err);
	if (r == 0)
		r = to.driver->activate(&to.def, err);
	if (r < 0)
		return r;
	task_log("copying volume '%s:%s' to '%s:%s'", from.volume.storage, from.volume.name,
		 to.volume.storage, to.volume.name);
	if (from.volume.content == VOLUME_IMAGES || from.volume.content == VOLUME_ROOTDIR)
		return copy_guest_volume(task, &from, &to, content, err);
	return copy_file(&from, &to, err);
}
