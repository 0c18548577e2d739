/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts programs of our own as child processes: jobs and helpers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/err.h"

#define CHILD_FDS_MAX 4

struct child_spec {
	const char *const *argv; /* argv[0]: absolute path */
	int fds[CHILD_FDS_MAX];  /* become descriptors 0 to 3; -1: /dev/null for 0 to 2, else closed */
};

struct child {
	pid_t pid;
	int pidfd;
	uint64_t start; /* exec_child_start() */
};

/* In a session (and process group) of its own, with default signals and the core's LODGE_*
 * environment, without the core's protection from the memory killer; everything else is closed.
 * The caller reaps it (child_reap). Out of descriptors: fails before anything was started. */
int child_spawn(const struct child_spec *spec, struct child *ret, struct err *err);
/* After the pidfd became readable. true, and *ret gets the wait status, if it was a child of ours. */
bool child_reap(int pidfd, int *ret_status);
/* "exit code 3", "signal 9" */
void child_status_text(int status, char *ret, size_t size);
/* SIGKILL, SIGTERM to the whole process group of a leader that is not reaped yet. */
void child_signal_group(pid_t pid, int pidfd, int sig);
