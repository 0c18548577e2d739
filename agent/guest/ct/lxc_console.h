/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Terminals of running containers through liblxc. Blocks without a deadline: for a process that can be
 * killed. */
#pragma once

#include <sys/types.h>

#include "agent/base/err.h"

/* Main end of a terminal, and the connection that keeps it allocated. */
struct lxc_console {
	int fd, keep;
};

/* A free one of its terminals; or its /dev/console. ERR_BUSY: others have it. */
int lxc_console_tty(const char *lxc_path, unsigned vmid, struct lxc_console *ret, struct err *err);
int lxc_console_main(const char *lxc_path, unsigned vmid, struct lxc_console *ret, struct err *err);
/* A log-in shell of root, inside, on a new terminal of the container's own; it ends when the terminal is
 * closed. */
int lxc_console_shell(const char *lxc_path, unsigned vmid, struct lxc_console *ret,
		      struct err *err);
