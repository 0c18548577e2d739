/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-task-import: what reads descriptions of foreign machines. `lodge-task-import helper NAME`. */
#include "agent/base/log.h"
#include "agent/base/str.h"
#include "agent/task/host/helper.h"
#include "agent/task/import/metadata.h"

static const struct helper_entry helpers[] = {
	{"import-metadata", helper_import_metadata},
	{0},
};

int main(int argc, char **argv)
{
	log_open("lodge-task-import");
	return argc == 3 && str_eq(argv[1], "helper") ? helper_main(helpers, argv[2]) : 2;
}
