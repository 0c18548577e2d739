/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unpacks a container template as a step of another job. */
#include "agent/task/host/unpack.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/base/str.h"
#include "agent/task/task.h"
#include "storage/pace.h"
#include "storage/template/template.h"

#define ROOT_FD	      3
#define PROGRESS_STEP (256ull * 1024 * 1024)
#define MIB	      (1024.0 * 1024.0)
#define STALL_SECONDS 600 /* without 2000 entries or 128 KiB: what it reads leads nowhere */

struct progress {
	uint64_t next, seen; /* bytes */
	struct bucket bucket;
};

static void show_progress(const struct template_report *report, void *ctx)
{
	struct progress *p = ctx;

	alarm(0);
	pace_take(&p->bucket, report->bytes - p->seen, NULL);
	p->seen = report->bytes;
	alarm(STALL_SECONDS);
	if (report->bytes < p->next)
		return;
	p->next = (report->bytes / PROGRESS_STEP + 1) * PROGRESS_STEP;
	task_log("unpacked %.0f MiB, %llu files", (double)report->bytes / MIB,
		 (unsigned long long)report->entries);
}

int unpack_main(int argc, char **argv)
{
	struct template_report report = {0};
	struct err err = ERR_INIT;
	struct progress progress = {.next = PROGRESS_STEP};
	uint64_t parent;

	if (argc != 2 || !str_to_u64(argv[0], &parent) ||
	    !str_to_u64(argv[1], &progress.bucket.rate))
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if ((uint64_t)getppid() != parent)
		return 2; /* what it began is being undone already */
	alarm(STALL_SECONDS);
	if (template_unpack(STDIN_FILENO, ROOT_FD, NULL, show_progress, &progress, &report, &err) <
	    0) {
		dprintf(STDERR_FILENO, "%d %s\n", err.code, err.message);
		return 1;
	}
	task_log("unpacked %.0f MiB, %llu files%s", (double)report.bytes / MIB,
		 (unsigned long long)report.entries,
		 report.skipped ? " (device nodes were left out)" : "");
	return 0;
}
