/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a container ended that nobody asked to. Pure. */
#pragma once

#include <stdbool.h>

/* "killed", "crashed", "oom"; "" when it looks like its own will: halt and reboot from inside are signals, too
 * (SIGINT, SIGHUP). signal: what ended its first process, 0 for none. has_oom: the kernel killed in it for want of
 * memory. */
const char *guest_end_reason(int signal, bool has_oom);
