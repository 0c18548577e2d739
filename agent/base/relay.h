/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes both ways between two stream sockets, unchanged; blocking, for jobs and the CLI. */
#pragma once

#include "agent/base/err.h"

#define RELAY_BUFFER 65536 /* each way; a side that does not read holds the other up */

/* Until one side ends (its last bytes are still delivered, within a few seconds) or cancel (a descriptor, or
 * -1) becomes readable: ERR_CANCELLED. Makes both non-blocking; closes neither. */
int relay_run(int a, int b, int cancel, struct err *err);
