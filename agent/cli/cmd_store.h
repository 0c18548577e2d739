/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of `lodge store` share. They work on the database itself, without a core. */
#pragma once

#include "agent/cli/cli.h"
#include "cluster/db/db_check.h"

/* Folder of the database: --db, or that of this node. Other options than those named (NULL-terminated) are refused. */
int store_folder(const struct cli *cli, const char *const *options, char **ret, struct err *err);
/* For looking; keeps others out until db_close(). */
int store_look(const char *folder, struct db **ret, struct err *err);
void store_id_text(const struct uuid *id, char ret[33]);

int store_check(struct cli *cli, struct err *err);
int store_dump(struct cli *cli, struct err *err);
int store_restore(struct cli *cli, struct err *err);
