/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Container templates that this node can make by itself. */
#pragma once

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"
#include "agent/task/task.h"

/* The contract's list of templates: those whose tools and keys are here. No args. */
int helper_templates(const struct fields *args, struct buf *out, struct err *err);
/* args: a storage, template (a name of the list). Makes it and puts it into the storage. */
int job_maketemplate(struct task_ctx *task, struct err *err);
