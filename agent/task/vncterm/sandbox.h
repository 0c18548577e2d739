/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the process gives up before it reads its first byte from guest or viewer: user and capabilities, the
 * network, the file system (an empty root, and no call that opens anything), and every system call but the few
 * that two threads with open descriptors need. */
#pragma once

#include "agent/base/err.h"

/* Before threads are made. Whoever is not root stays who he is, with the system calls that are left. */
int sandbox_enter(struct err *err);
