/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one place that calls liblxc: starts a container from items, its monitor stays behind. */
#pragma once

#include <stdbool.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"

/* Blocks until the container runs or failed. The monitor inherits this process' mount namespace, and
 * nothing of its descriptors. log_path: liblxc's own log; on failure its errors become the message. is_debug: it holds
 * all that liblxc does. */
int lxc_start_items(const char *lxc_path, unsigned vmid, const struct fields *items,
		    const char *log_path, bool is_debug, struct err *err);
/* The first errors of a liblxc log as one line, "" if there are none. Pure. */
void lxc_log_reason(const char *log, struct buf *out);
