/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node's script beside a container's life: run as root on the node with the arguments VMID and phase
 * (pre-start, post-start, pre-stop, post-stop). Its output is the task log. */
#pragma once

#include "agent/base/clock.h"
#include "agent/guest/config.h"
#include "agent/task/task.h"

/* The path of the configured script, or "". An error when it is there and cannot be run. */
int ct_hookscript_path(struct task_ctx *task, const struct guest_config *config, struct buf *ret,
		       struct err *err);
#define CT_HOOKSCRIPT_WAIT (600 * USEC_PER_SEC)
/* path "": nothing. A script that fails or takes longer than its deadline is an error. */
int ct_hookscript_run(const char *path, unsigned vmid, const char *phase, struct err *err);
