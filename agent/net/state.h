/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces, addresses and routes: as the kernel has them, or as they shall be. Parsing and comparing are pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/clock.h"
#include "agent/base/err.h"
#include "agent/net/iface.h"

#define NET_ADDRESS_SIZE 46
#define NET_FOREVER	 UINT32_MAX
#define NET_JSON_MAX	 (16u * 1024 * 1024)
#define NET_ITEMS_MAX	 16384 /* links, addresses of one, routes: more are not looked at */

struct net_addr {
	char local[NET_ADDRESS_SIZE], broadcast[NET_ADDRESS_SIZE];
	char label[NET_NAME_SIZE];
	unsigned prefix;
	bool is_v6, is_dynamic;	   /* with a lifetime */
	bool is_automatic;	   /* made by the kernel: link-local, or from a router */
	uint32_t valid, preferred; /* seconds */
};

struct net_link {
	char name[NET_NAME_SIZE], kind[16], master[NET_NAME_SIZE], mac[18];
	unsigned mtu; /* 0 in what shall be: any */
	bool is_up, has_carrier, is_ethernet,
		has_peer;	/* has_peer: its other end is in another namespace */
	struct net_addr *addrs; /* owned */
	size_t addr_count;
};

struct net_route {
	char dst[64], gateway[NET_ADDRESS_SIZE], dev[NET_NAME_SIZE], source[NET_ADDRESS_SIZE];
	char protocol[16], scope[16];
	unsigned metric;
	bool is_v6, is_onlink;
};

/* Of routes only those of table main that somebody made: the kernel's own follow from the addresses, those of
 * routers come again. */
struct net_state {
	struct net_link *links; /* owned */
	size_t link_count;
	struct net_route *routes; /* owned */
	size_t route_count;
};

#define NET_STATE_INIT ((struct net_state){0})
void net_state_fini(struct net_state *state);
static inline void net_state_finip(struct net_state *state)
{
	net_state_fini(state);
}
#define autonetstate __attribute__((cleanup(net_state_finip))) struct net_state

/* What ip(8) said: of addresses, routes, IPv6 routes. */
struct net_facts {
	struct buf links, routes4, routes6;
};
void net_facts_fini(struct net_facts *facts);
int net_facts_read(struct net_facts *ret, struct err *err); /* blocking */
int net_state_parse(struct net_facts *facts, struct net_state *ret, struct err *err);
int net_state_read(struct net_state *ret, struct err *err); /* blocking */

void net_state_copy(struct net_state *dst, const struct net_state *src);
struct net_link *net_state_link(const struct net_state *state, const char *name);
struct net_link *net_state_add_link(struct net_state *state, const char *name);
void net_state_remove_link(struct net_state *state, const char *name);
void net_link_add_addr(struct net_link *link,
		       const char *cidr);	 /* for ever; also one that is there */
void net_link_drop_addrs(struct net_link *link); /* but those of the kernel's own */
struct net_route *net_state_add_route(struct net_state *state);
bool net_route_is_default(const struct net_route *route);
/* The default route with the lowest metric, or NULL. */
const struct net_route *net_state_default(const struct net_state *state, bool is_v6);
/* A guest's end of an interface: veth101i0, tap101i0, vnet3. */
bool net_is_guest_link(const char *name);

/* A list of names, NULL-terminated, of the heap (strv_free). Both configurations' interfaces and ports. */
char **net_managed_names(const struct net_config *old, const struct net_config *new);
