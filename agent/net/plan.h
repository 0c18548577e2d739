/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a state of the network to another: which one it shall be, and which commands lead there. Pure.
 *
 * The same planner goes forward and back: undoing a change is a plan from what is now to what was. */
#pragma once

#include "agent/net/state.h"

/* What is done without, where the rest is better than nothing. */
struct net_lacks {
	struct buf warnings; /* a line each */
	struct buf links;    /* names of interfaces that are not there, or not yet, a line each */
};
static inline void net_lacks_fini(struct net_lacks *lacks)
{
	buf_fini(&lacks->warnings);
	buf_fini(&lacks->links);
}
#define NET_LACKS_INIT ((struct net_lacks){0})
#define autonetlacks   __attribute__((cleanup(net_lacks_fini))) struct net_lacks

/* The state after new is applied where old was: starts as a copy of now. What cannot be (a port that is not
 * there, a default route that is the host's) is left out and noted in lacks; with lacks NULL it is an error. */
int net_target(const struct net_state *now, const struct net_config *old,
	       const struct net_config *new, struct net_lacks *lacks, struct net_state *ret,
	       struct err *err);

/* Drops from target the routes by names' devices that were by way of an address or a network which these no longer
 * have. */
void net_drop_dead_routes(const struct net_state *now, struct net_state *target,
			  char *const *names);

/* Lines for `ip -batch -`, in an order that works; nothing where nothing is to be done. Only interfaces of names
 * are touched, and routes by way of them. */
void net_plan(const struct net_state *from, const struct net_state *to, char *const *names,
	      struct buf *out);

/* Can nobody lose his way to this node by it? True only where nothing that is there is changed or taken away, and
 * no new network covers one that was reachable before, or peer; with "", whose way here is not known, no new
 * network is safe. */
bool net_change_is_safe(const struct net_state *from, const struct net_state *to,
			char *const *names, const char *peer);
