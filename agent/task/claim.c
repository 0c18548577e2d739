/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A job's identity: its UPID, the final name of its log, its run record. Each step may have been
 * done by the core a moment before: doing it again changes nothing. Runs in job processes. */
#include "agent/task/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

/* Secrets never reach the run record: undoing needs none. */
static const char *const secret_args[] = {"password", "ssh-public-keys", "secret", "token"};

/* In args for every job; not repeated under "arg.". */
static const char *const common_args[] = {"serial",  "node",  "user", "type",	 "id",
					  "guest",   "after", "undo", "program", "starttime",
					  "command", "other", NULL};

char *task_log_path(const struct upid *upid, const char *upid_text, const char *suffix)
{
	return path_join(path_state(), "tasks/%X/%s%s", (unsigned)(upid->start_time & 0xf),
			 upid_text, suffix);
}

static bool is_in(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (str_eq(*names, name))
			return true;
	return false;
}

static bool is_secret(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(secret_args); i++)
		if (str_ends(name, secret_args[i]))
			return true;
	return false;
}

static int make_upid(struct task_ctx *task, const char *command, struct err *err)
{
	const struct fields *args = &task->args;
	const char *type = fields_get(args, "type"), *id = fields_get(args, "id");
	struct upid *upid = &task->upid;

	*upid = (struct upid){.pid = getpid(), .pid_start = exec_pid_start(getpid())};
	if (!str_to_u64(fields_get(args, "starttime"), &upid->start_time))
		return err_field(err, "starttime", "job without a start time");
	if (!str_copy(upid->node, sizeof(upid->node), task->node) ||
	    !str_copy(upid->user, sizeof(upid->user), task->user) ||
	    !str_copy(upid->type, sizeof(upid->type), type ? type : command) ||
	    !str_copy(upid->id, sizeof(upid->id), id ? id : ""))
		return err_set(err, ERR_INVALID, "job arguments are too long");
	return upid_format(upid, task->upid_text, err);
}

/* The first log name ends with the serial that the core chose; it is a plain number or token. */
static int rename_log(struct task_ctx *task, struct err *err)
{
	const char *serial = fields_get(&task->args, "serial");
	autofree char *final = task_log_path(&task->upid, task->upid_text, "");
	autofree char *folder = xstrndup(final, (size_t)(strrchr(final, '/') - final));
	autofree char *first = NULL;
	int r;

	if ((r = dir_make(folder, 0755, err)) < 0)
		return r;
	if (!serial || !*serial || strchr(serial, '/'))
		return 0;
	first = path_join(path_state(), "tasks/new-%s", serial);
	if (rename(first, final) != 0 && errno != ENOENT)
		return err_errno(err, errno, "rename the task log");
	return 0;
}

static void encode_record(const struct task_ctx *task, const char *command, struct buf *out)
{
	static const char *const copied[] = {"guest", "undo", "serial", "after",
					     "type",  "id",   "user",	"other"};
	const char *program = fields_get(&task->args, "program");
	autofields record = FIELDS_INIT;

	fields_add(&record, "boot", exec_boot_id());
	fields_add(&record, "command", command);
	fields_add(&record, "program", program ? program : program_invocation_short_name);
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		fields_add(&record, copied[i], fields_get(&task->args, copied[i]));
	for (size_t i = 0; i < task->args.count; i++) {
		const struct field *arg = &task->args.items[i];
		autofree char *name = NULL;

		if (is_secret(arg->name) || is_in(common_args, arg->name))
			continue;
		name = xasprintf("arg.%s", arg->name);
		if (strlen(name) < FIELDS_NAME_MAX)
			fields_add_n(&record, name, arg->value, arg->size);
	}
	fields_encode(&record, out);
}

/* Only if there is none: what the core wrote stays. */
static int leave_record(const struct task_ctx *task, const char *command, struct err *err)
{
	autofree char *folder = path_join(path_run(), "jobs");
	autofree char *path = path_join(path_run(), "jobs/%s", task->upid_text);
	autofree char *temp = path_join(path_run(), "jobs/.%d.new", (int)getpid());
	autobuf text = BUF_INIT;
	int r;

	if ((r = dir_make(folder, 0700, err)) < 0)
		return r;
	if (access(path, F_OK) == 0)
		return 0;
	encode_record(task, command, &text);
	if ((r = file_write_atomic(temp, text.data, text.size, 0600, err)) < 0)
		return r;
	r = renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0 ? 0 : errno;
	if (r != 0)
		unlink(temp);
	if (r != 0 && r != EEXIST)
		return err_errno(err, r, "write the run record");
	return 0;
}

int task_claim(struct task_ctx *task, const char *command, struct err *err)
{
	uint64_t guest = 0;
	const char *text = fields_get(&task->args, "guest");
	int r;

	task->node = fields_get(&task->args, "node");
	task->user = fields_get(&task->args, "user");
	if (!task->node || !task->user)
		return err_set(err, ERR_INVALID, "job without node or user");
	if (text && (!str_to_u64(text, &guest) || guest > 999999999))
		return err_field(err, "guest", "bad guest id '%s'", text);
	task->guest = (unsigned)guest;
	if ((r = make_upid(task, command, err)) < 0 || (r = rename_log(task, err)) < 0)
		return r;
	return leave_record(task, command, err);
}
