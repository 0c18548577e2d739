/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-task-console: consoles of guests. Small, and without liblxc and libvirt, since there is one for every
 * open console. */
#include "agent/base/log.h"
#include "agent/task/console/commands.h"

static const struct task_command commands[] = {
	{"termproxy", termproxy_run},
	{"vncproxy", vncproxy_run},
	{0},
};

int main(int argc, char **argv)
{
	log_open("lodge-task-console");
	return task_main(argc, argv, commands);
}
