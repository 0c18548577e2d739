/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a container's first process ended: liblxc's monitor learns it, and keeps it to itself. */
#pragma once

#include <sys/types.h>

/* In a hook of the monitor, after the end: the signal that ended init; 0: none. */
int ct_init_signal(pid_t init);
