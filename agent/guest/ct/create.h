/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What creation and its steps share. */
#pragma once

#include "agent/task/task.h"

/* A root that is to be filled; borrows. */
struct create_root {
	struct guest_config *config; /* gets the ostype that was found */
	const char *template_path, *volume_path;
	const char *storage; /* of the volume, for what is said about it */
};
/* Unpacks the template and sets the system up (arguments password, ssh-public-keys, ignore-unpack-errors). All of it
 * is on disk afterwards. */
int create_root_fill(struct task_ctx *task, const struct create_root *root, struct err *err);
