/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The jobs and helpers of lodge-task-fetch. */
#pragma once

#include "agent/base/fields.h"
#include "agent/task/task.h"

/* args: a storage, url, content, filename; optional checksum, checksum-algorithm (of what the server sends),
 * compression (gz, xz, zst, bz2: the file is unpacked from it), insecure. */
int download_run(struct task_ctx *task, struct err *err);
/* args: a storage, template (a file name of the node's lists). */
int apldownload_run(struct task_ctx *task, struct err *err);
/* args: url, insecure. {"filename","size","mimetype"}, each where known */
int helper_url_metadata(const struct fields *args, struct buf *out, struct err *err);
