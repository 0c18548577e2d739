/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs inside a container, with its rights, limits and names: liblxc's attach. For single-threaded processes:
 * liblxc forks. Its command socket has no deadline: whoever needs one forks first. */
#pragma once

#include <sys/types.h>

#include "agent/base/clock.h"
#include "agent/base/err.h"
#include "agent/task/task.h"

struct lxc_exec {
	const char *const *argv;	    /* argv[0] is looked up in a fixed PATH inside */
	const char *const *env;		    /* "NAME=VALUE", beside HOME, PATH, …; NULL: none */
	const char *folder;		    /* where it starts; NULL: / */
	int stdin_fd, stdout_fd, stderr_fd; /* borrowed */
};

#define LXC_EXEC_NOT_FOUND 127 /* exit code of what could not be executed; stderr says why */

/* Starts it as root inside, as leader of a session of its own. It is a child of this process. */
int lxc_exec_start(const char *lxc_path, unsigned vmid, const struct lxc_exec *what, pid_t *ret,
		   struct err *err);
/* Runs it with no input and its output in the log of the job, in a forked step. A code other than 0 is an error. */
int lxc_exec_run(struct task_ctx *task, unsigned vmid, const char *const *argv, usec_t timeout,
		 struct err *err);
