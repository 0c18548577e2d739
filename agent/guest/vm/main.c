/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-task-vm: jobs and screens of virtual machines. The only job program that links libvirt. */
#include "agent/base/log.h"
#include "agent/base/str.h"
#include "agent/guest/vm/commands.h"

static const struct task_command commands[] = {
	{"qmcreate", qmcreate_run},
	{"qmcreate-undo", qmcreate_undo_run},
	{"qmconfig", qmconfig_run},
	{"qmconfig-undo", qmconfig_undo_run},
	{"qmstart", qmstart_run},
	{"qmstop", qmstop_run},
	{"qmshutdown", qmshutdown_run},
	{"qmreboot", qmreboot_run},
	{"qmreset", qmreset_run},
	{"qmdestroy", qmdestroy_run},
	{"qmsnapshot", qmsnapshot_run},
	{"qmsnapshot-undo", qmsnapshot_undo_run},
	{"qmdelsnapshot", qmdelsnapshot_run},
	{"qmrollback", qmrollback_run},
	{"qmclone", qmclone_run},
	{"qmclone-undo", qmclone_undo_run},
	{"qmclone-release", qmclone_release_run},
	{"qmtemplate", qmtemplate_run},
	{"qmresize", qmresize_run},
	{"qmmove", qmmove_run},
	{"qmmove-undo", qmmove_undo_run},
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	log_open("lodge-task-vm");
	if (argc > 1 && str_eq(argv[1], "screen"))
		return screen_main(argc - 2, argv + 2);
	return task_main(argc, argv, commands);
}
