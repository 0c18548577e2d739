/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-task-vm: jobs and screens of virtual machines. The only job program that links libvirt. */
#include "agent/base/log.h"
#include "agent/base/str.h"
#include "agent/guest/vm/commands.h"

static const struct task_command commands[] = {
	{"qmcreate", qmcreate_run},   {"qmcreate-undo", qmcreate_undo_run},
	{"qmconfig", qmconfig_run},   {"qmstart", qmstart_run},
	{"qmstop", qmstop_run},	      {"qmshutdown", qmshutdown_run},
	{"qmreboot", qmreboot_run},   {"qmreset", qmreset_run},
	{"qmdestroy", qmdestroy_run}, {NULL, NULL},
};

int main(int argc, char **argv)
{
	log_open("lodge-task-vm");
	if (argc > 1 && str_eq(argv[1], "screen"))
		return screen_main(argc - 2, argv + 2);
	return task_main(argc, argv, commands);
}
