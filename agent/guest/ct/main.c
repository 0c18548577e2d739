/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-task-ct: jobs, hooks and terminals of containers. The only program that links liblxc. */
#include "agent/base/log.h"
#include "agent/base/str.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/guard.h"

static const struct task_command commands[] = {
	{"vzcreate", vzcreate_run},
	{"vzcreate-undo", vzcreate_undo_run},
	{"vzstart", vzstart_run},
	{"vzstop", vzstop_run},
	{"vzshutdown", vzshutdown_run},
	{"vzreboot", vzreboot_run},
	{"vzdestroy", vzdestroy_run},
	{"vzsnapshot", vzsnapshot_run},
	{"vzsnapshot-undo", vzsnapshot_undo_run},
	{"vzdelsnapshot", vzdelsnapshot_run},
	{"vzrollback", vzrollback_run},
	{"vzclone", vzclone_run},
	{"vzclone-undo", vzclone_undo_run},
	{"vzclone-release", vzclone_release_run},
	{"vztemplate", vztemplate_run},
	{"vzresize", vzresize_run},
	{"vzmove", vzmove_run},
	{"vzmove-undo", vzmove_undo_run},
	{"vzconfig", vzconfig_run},
	{"vzconfig-undo", vzconfig_undo_run},
	{"vzsuspend", vzsuspend_run},
	{"vzresume", vzresume_run},
	{"vzexec", vzexec_run},
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;

	log_open("lodge-task-ct");
	/* a hook enters no container's processes */
	if (argc > 1 && str_eq(argv[1], "hook"))
		return hook_main(argc - 2, argv + 2);
	/* whoever needs it asks again */
	if (ct_guard_self(argv, &err) < 0)
		log_error("%s", err.message);
	if (argc > 1 && str_eq(argv[1], "console"))
		return console_main(argc - 2, argv + 2);
	return task_main(argc, argv, commands);
}
