/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a daemon writes to its pipe, kept in a file of bounded size: NAME.log and, before it,
 * NAME.log.1. Runs on the supervisor's loop. */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "agent/base/err.h"

#define BOUNDED_LOG_MAX (10u * 1024 * 1024) /* of each of the two files */

struct bounded_log {
	char *path;
	char *old_path;
	int fd;	       /* -1: could not be opened; lines are lost until the next rotation */
	uint64_t size; /* of the file at path */
	uint64_t max;
	int read_end, write_end; /* of the pipe; the write end is lent to the daemon */
	sd_event_source *source;
};

/* Lines go to DIRECTORY/NAME.log from now on. */
int bounded_log_init(struct bounded_log *log, sd_event *event, const char *directory,
		     const char *name, uint64_t max, struct err *err);
/* Takes in what is still in the pipe. */
void bounded_log_fini(struct bounded_log *log);
