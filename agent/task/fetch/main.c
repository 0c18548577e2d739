/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-task-fetch: what speaks HTTP to the outside. `lodge-task-fetch helper NAME` for short questions,
 * `lodge-task-fetch COMMAND` for jobs. */
#include "agent/base/log.h"
#include "agent/base/str.h"
#include "agent/task/fetch/commands.h"
#include "agent/task/host/helper.h"

static const struct helper_entry helpers[] = {
	{"url-metadata", helper_url_metadata},
	{0},
};

static const struct task_command commands[] = {
	{"download", download_run},
	{"apldownload", apldownload_run},
	{0},
};

int main(int argc, char **argv)
{
	log_open("lodge-task-fetch");
	if (argc == 3 && str_eq(argv[1], "helper"))
		return helper_main(helpers, argv[2]);
	return task_main(argc, argv, commands);
}
