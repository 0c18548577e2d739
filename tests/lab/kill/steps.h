/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which system calls are steps: those that change something others can see, or that ask somebody to. Before each of
 * them a process may be killed, and between two of them a kill changes nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Of the process whose calls are numbered, of those that it starts, or of the core. */
enum step_view { STEPS_LEADER, STEPS_CHILD, STEPS_CORE };

struct step_call {
	uint64_t nr, args[6];
};

/* What one process did before, to tell a step from its continuation: many writes to one file are one step, and what
 * a program that was started does counts once for each kind of call, and more often where it may tear a file. */
struct step_memory {
	uint64_t last_nr, last_fd;
	unsigned seen[512];
};

/* The call's name, or NULL: it is no step. */
const char *step_name(enum step_view view, struct step_memory *memory,
		      const struct step_call *call);
/* Which argument is a path, -1: none. */
int step_path(const struct step_call *call);
