/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One blocking call to the core, for jobs, hooks and the CLI. */
#pragma once

#include <stdbool.h>

#include "agent/base/clock.h"
#include "agent/base/frame.h"

/* Connects, calls, waits. While the core is away (restarting) it tries again until the deadline;
 * once the call was sent and the connection broke, `again` decides: true sends the very same call
 * again (it must be idempotent), false is ERR_UNKNOWN. */
int client_call(const char *socket_path, const struct call *call, usec_t deadline, bool again,
		struct reply *ret, struct err *err);
/* The same; *ret_sent says of a failure whether the call may have been done: some attempt was sent whole. */
int client_call_tracked(const char *socket_path, const struct call *call, usec_t deadline,
			bool again, bool *ret_sent, struct reply *ret, struct err *err);
