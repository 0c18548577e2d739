/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's terminal as a VNC screen: by a program of its own, which has no privileges (agent/task/vncterm).
 * Runs in console jobs. */
#pragma once

#include "agent/task/console/terminal.h"

/* Until the viewer leaves or the guest ends. The viewer has heard nothing yet. */
int vncterm_run(struct task_ctx *task, const struct viewer *v, const struct terminal *t,
		struct err *err);
