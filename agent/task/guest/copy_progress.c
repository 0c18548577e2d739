/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs in jobs. */
#include "agent/task/guest/copy_progress.h"

#include "agent/task/task.h"

#define TELL_EVERY 10 /* per cent */

static unsigned told;

void copy_progress_begin(void)
{
	told = 0;
}

void copy_progress(uint64_t done, uint64_t total)
{
	unsigned percent = total ? (unsigned)(done * 100 / total) : 100;

	if (percent < told + TELL_EVERY)
		return;
	told = percent;
	task_log("copied %llu of %llu MiB (%u%%)", (unsigned long long)(done >> 20),
		 (unsigned long long)(total >> 20), percent);
}
