/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a container ended that nobody asked to. Pure. */
#pragma once

#include <stdbool.h>

#include "agent/base/fields.h"

/* "oom", "killed", "crashed", "exited"; "" when it looks like its own will: halt and reboot from inside are signals, too
 * (SIGINT, SIGHUP). status: of its first process, as from wait(2). has_oom: the kernel killed in it for want of memory. */
const char *guest_end_reason(int status, bool has_oom);
/* Adds reason, and exit_signal or exit_code; nothing where the reason is "". */
void guest_end_fields(const char *reason, int status, struct fields *out);
