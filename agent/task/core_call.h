/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls of a job to the core. Private to agent/task/. */
#pragma once

#include <stdbool.h>

#include "agent/base/clock.h"
#include "agent/base/frame.h"

/* As client_call(), to this node's core. */
int task_call_core(const struct call *call, usec_t deadline, bool again, struct reply *ret,
		   struct err *err);
/* What its answer means; what: for the message. */
int task_reply_error(const struct reply *reply, const char *what, struct err *err);
