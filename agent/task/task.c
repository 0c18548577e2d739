/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main() of the job programs: arguments, claim, wait, run, finish. One job a process. */
#include "agent/task/internal.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/cursor.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/str.h"

#define ARGS_MAX (4u * 1024 * 1024)

static const struct task_command *find_command(const struct task_command *commands,
					       const char *name)
{
	for (; commands->name; commands++)
		if (str_eq(commands->name, name))
			return commands;
	return NULL;
}

static int read_args(struct fields *ret, struct err *err)
{
	autobuf data = BUF_INIT;
	struct cursor c;
	int r;

	if ((r = fd_read_all(STDIN_FILENO, ARGS_MAX, &data, err)) < 0)
		return err_prefix(err, "read the job's arguments");
	c = cursor_on(data.data, data.size);
	r = fields_decode(&c, ret, err);
	explicit_bzero(data.data, data.size); /* a password may be among them */
	return r;
}

static int await_turn(struct task_ctx *task, struct err *err)
{
	autostrv char **after = str_split(fields_get(&task->args, "after") ?: "", " ");
	int r;

	for (size_t i = 0; after[i]; i++)
		if ((r = task_wait_for(after[i], err)) < 0)
			return r;
	return task_check_cancelled(err);
}

/* What was done for it before it began (a name that was taken for a copy) is undone by whoever started it, if it ends
 * without a status: its own part knows of nothing that went wrong there. */
static bool ends_without_status(const struct task_ctx *task, int r)
{
	return r == -ERR_CANCELLED && fields_get(&task->args, "undo");
}

int task_main(int argc, char **argv, const struct task_command *commands)
{
	const struct task_command *command = argc > 1 ? find_command(commands, argv[1]) : NULL;
	struct task_ctx task = {.args = FIELDS_INIT};
	struct err err = ERR_INIT, finish_err = ERR_INIT;
	int r;

	if (!command) {
		log_error("%s: unknown command '%s'", argv[0], argc > 1 ? argv[1] : "");
		return 2;
	}
	umask(022);
	task_cancel_init();
	if ((r = read_args(&task.args, &err)) < 0 ||
	    (r = task_claim(&task, command->name, &err)) < 0) {
		log_error("%s: %s", command->name,
			  err.message); /* no name yet: nobody else can tell */
		fields_fini(&task.args);
		return 1;
	}
	r = await_turn(&task, &err);
	if (ends_without_status(&task, r)) {
		fields_fini(&task.args);
		return 1;
	}
	if (r == 0)
		r = command->run(&task, &err);
	task.is_unfinished |= r == -ERR_UNKNOWN;
	if (task_finish(&task, r < 0 ? err.message : NULL, &finish_err) < 0) {
		log_error("status of %s: %s", task.upid_text, finish_err.message);
		r = -1;
	}
	fields_fini(&task.args);
	return r < 0 ? 1 : 0;
}
