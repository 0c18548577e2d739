/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One supervisor a node: the lock that says so, and what `stop` and `status` do from outside. */
#pragma once

#include <sys/types.h>

#include "agent/base/err.h"

/* Holds path_run()/supervise.pid, locked, until the process ends. ERR_BUSY: one is running. */
int control_lock(int *ret_fd, struct err *err);
/* Ends daemons that an earlier supervisor, killed, left behind, but those that are to stay. Blocking, a few seconds at most. */
int control_clear(struct err *err);

/* The commands; both print, and return the exit status. */
int control_stop(void);
int control_status(void); /* 0: all run; 3: not all */
