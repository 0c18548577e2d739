/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is there somebody at a gateway's address? Blocking, some seconds. */
#pragma once

#include "agent/net/state.h"

/* Makes the kernel look for its neighbour by sending it something, and waits until it has an answer;
 * one that it had before does not count. */
int net_gateway_probe(const struct net_route *route, struct err *err);
