/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the process gives up before it reads its first byte from guest or viewer: user and capabilities, the
 * network, the file system (an empty root, and no call that opens anything), memory and files without bound, and
 * every system call but the few that two threads with open descriptors need. */
#pragma once

#include <sys/types.h>

#include "agent/base/err.h"

/* Each process has a user that nobody else is, this plus its pid: signals, limits and ptrace between processes ask
 * for the same user only. Above what systemd and useradd hand out, below what is negative as an int. Where the id does
 * not exist (inside of a container), the gate's user has to do: no system call is left that could reach the gate. */
#define SANDBOX_UID_FIRST 0x70000000u

/* Before threads are made. Whoever is not root stays who he is, with the system calls that are left. The process is
 * killed when its parent's thread that started it ends; -ERR_UNAVAILABLE: the parent has ended already. */
int sandbox_enter(pid_t parent, struct err *err);
