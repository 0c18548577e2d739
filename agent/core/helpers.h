/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounded helper processes for what would block the core: password hashes, directory scans, statfs.
 * `lodge-task helper NAME` with encoded fields on stdin; its stdout is the answer. At most
 * HELPERS_RUNNING at once, HELPERS_QUEUED waiting (more: ERR_LIMIT); SIGKILL at the deadline. */
#pragma once

#include <systemd/sd-event.h>

#include "agent/base/buf.h"
#include "agent/base/clock.h"
#include "agent/base/fields.h"

#define HELPERS_RUNNING 8
#define HELPERS_OF_STORAGE                                                                         \
	3 /* of them at most ask the same storage ("storage-id" among the arguments) */
#define HELPERS_OF_NETWORK 2 /* of them at most ask servers elsewhere, "url-…" and "oci-…" */
#define HELPERS_QUEUED	   256

struct helpers;
struct helper;

/* err->code 0: output is the helper's stdout. Otherwise the error that the helper reported (exit 1,
 * first line of its output: "CODE FIELD message"), or time-out. */
typedef void (*helper_done_fn)(const struct err *err, struct buf *output, void *ctx);

struct helpers *helpers_new(sd_event *event);
void helpers_free(struct helpers *helpers); /* kills what runs */
/* ret may be NULL. ERR_UNAVAILABLE at once for a storage whose last helper hangs and cannot be killed. done
 * is called exactly once, later, from the loop, unless cancelled. */
int helpers_run(struct helpers *helpers, const char *name, const struct fields *args,
		usec_t timeout, helper_done_fn done, void *ctx, struct helper **ret,
		struct err *err);
void helper_cancel(struct helper *helper);
