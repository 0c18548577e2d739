/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests that want their connection to become a WebSocket. */
#pragma once

#include "agent/gate/request.h"

/* Before the core is asked. Sets r->is_upgrade for a valid handshake; false: it is not valid, and the
 * state is ANSWERED. Requests without one pass. */
bool upgrade_check(struct request *r);
/* Queues the 101 of an answered one with its stream. */
enum MHD_Result upgrade_queue(struct request *r);
