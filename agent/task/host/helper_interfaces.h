/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses of a container, read inside its network namespace. */
#pragma once

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"

/* args: pid (init of the container), pid_start (its start time in clock ticks, so that a process that
 * got the same number later is not asked). The contract's array of {name, hwaddr, hardware-address,
 * inet, inet6, ip-addresses}; ERR_NOT_FOUND when the container is gone. Joins the
 * namespace for good: only for a process that does nothing else. */
int helper_ct_interfaces(const struct fields *args, struct buf *out, struct err *err);
