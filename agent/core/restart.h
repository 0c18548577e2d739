/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that asked for a restart from inside, told by a hook or by its spool file. */
#pragma once

#include "agent/core/core.h"

/* fields: vmid, state, target. A stopped guest with target "reboot" gets a start job. The spool file of
 * that guest is removed afterwards; if the job could not be started it stays, and is taken again soon. */
void restart_take(struct core *core, const struct fields *f);
/* At start: spool files that hooks left while the core was away. */
void restart_scan(struct core *core);
/* The start job of a guest of this node, as root@pam. */
int restart_guest(struct core *core, unsigned vmid, char ret_upid[UPID_MAX], struct err *err);
