/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a container's first process ended: liblxc's monitor learns it, and keeps it to itself. */
#pragma once

#include <sys/types.h>

/* In a hook of the monitor, after the end: init's status, as from wait(2); -1: not known. */
int ct_init_status(pid_t init);
