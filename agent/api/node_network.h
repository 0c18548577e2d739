/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A change of the network is kept once its caller has called again. */
#pragma once

#include "agent/api/api.h"

/* A call was authenticated. From the address and by the user for whom a change waits, it confirms that change; calls
 * of the node itself say nothing about who can reach it, and one that stops a task may want that change to go back. */
void api_network_seen(const struct api_request *req);
