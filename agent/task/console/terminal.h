/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's terminal, and carrying bytes between it and its viewer. Runs in console jobs. */
#pragma once

#include "agent/task/console/viewer.h"
#include "agent/task/task.h"

struct terminal {
	int fd;	   /* main end of a pty, or a stream socket */
	int keep;  /* while it is open the terminal is ours; -1: nothing to keep */
	int guest; /* readable once the guest has ended (pidfd); -1: fd tells */
	bool is_pty;
	bool may_hang_up; /* that nobody inside has it open passes: a log-in may come back */
};

#define TERMINAL_NONE ((struct terminal){.fd = -1, .keep = -1, .guest = -1})

/* The terminal that the job's arguments name. ERR_BUSY: somebody else has it. */
int terminal_open(const struct task_ctx *task, struct terminal *ret, struct err *err);
void terminal_fini(struct terminal *t);

#define TERMINAL_BACKLOG 262144 /* bytes of output that wait for the viewer */

/* Until the viewer leaves or the terminal ends. Output waits for a viewer that is slow, and holds the guest up
 * meanwhile, for one second; if then half of TERMINAL_BACKLOG is not gone, the guest goes on, only the newest
 * TERMINAL_BACKLOG bytes are kept, and the viewer is told how much it missed. */
int terminal_relay(struct viewer *v, struct terminal *t, struct err *err);
