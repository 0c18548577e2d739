/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A group inside one process, for tests and benches: total order, no loss, a view for each join and leave, quorate
 * with more than half of the expected members. Each end belongs to one thread; ends may be of several. */
#pragma once

#include "cluster/transport/transport.h"

#define HUB_MEMBERS_MAX 8
#define HUB_QUEUE_MAX                                                                              \
	4096 /* datagrams that wait for one member; then senders are told to try again */

struct hub;

struct hub *hub_new(unsigned expected);
void hub_free(struct hub *hub); /* after its transports */
/* A member's end, not yet joined. Nodes are 1 … HUB_MEMBERS_MAX. */
struct group_transport *hub_transport(struct hub *hub, uint32_t node);
/* Messages between these two are dropped from now on, or again delivered. */
void hub_cut(struct hub *hub, uint32_t a, uint32_t b, bool is_cut);
