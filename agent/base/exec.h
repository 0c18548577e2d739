/* SPDX-License-Identifier: GPL-2.0-or-later */
/* External programs: an argv, never a shell string; always a deadline. Blocking exec_run() is for
 * job and helper processes, and what it runs is killed when they end (its own children are not);
 * exec_spawn() for loops. Signals are as by default, everything else is close-on-exec. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/buf.h"
#include "agent/base/clock.h"
#include "agent/base/err.h"

struct exec_spawn {
	const char *const
		*argv; /* argv[0] is an absolute path, or searched in the fixed path below */
	const char *const
		*env;	  /* NULL: PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root */
	int stdin_fd;	  /* -1: /dev/null; borrowed */
	int stdout_fd;	  /* -1: /dev/null */
	int stderr_fd;	  /* -1: /dev/null */
	bool new_session; /* setsid */
	bool dies_with_us; /* killed when the thread that started it ends; costs a fork of this process */
	int passed_fd; /* above 2, becomes 3; 0 or -1: none; borrowed */
};

int exec_spawn(const struct exec_spawn *spec, pid_t *ret_pid, struct err *err);

struct exec_result {
	int status;	   /* wait status */
	struct buf output; /* stdout, at most output_max */
	struct buf errors; /* the first 4 KiB of stderr */
};

struct exec_run {
	const char *const *argv;
	const void *input; /* for stdin, or NULL */
	size_t input_size;
	usec_t deadline; /* monotonic; then SIGTERM, a second later SIGKILL to the process group */
	size_t output_max; /* 0: 1 MiB */
	int errors_fd;	   /* above 0: stderr goes there, and to no message; borrowed */
	/* Asked at least once a second, may be NULL: true ends the program as the deadline does, and the
	 * result is ERR_CANCELLED. */
	bool (*is_stopped)(void);
};

/* Not found, killed or too slow is an error; a non-zero exit is one too, its message carries the
 * first line of stderr. ret may be NULL; it is filled whenever the program ran, on failure as well:
 * start it as {0} and call exec_result_fini() in any case. */
int exec_run(const struct exec_run *spec, struct exec_result *ret, struct err *err);
void exec_result_fini(struct exec_result *r);
/* Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat); 0 when gone. */
uint64_t exec_pid_start(pid_t pid);
/* As above of a child that was not reaped: also when it ended already. */
uint64_t exec_child_start(pid_t pid);
/* Is this one of the process's arguments, whole or up to the character `end` (NUL: whole only)? For pids that were
 * written down, which may be another process's by now. */
bool exec_pid_has_argument(pid_t pid, const char *argument, char end);
/* The boot id, 36 characters. */
const char *exec_boot_id(void);
