/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A copied container's identity of its own. */
#pragma once

#include "agent/task/task.h"

/* Host name, network and an empty machine-id in the root volume of a stopped container. */
int ct_renew(struct task_ctx *task, const struct guest_config *config, struct err *err);
