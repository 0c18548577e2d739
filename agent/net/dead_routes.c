/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes that cannot be once an address is another one: from it, or by way of a neighbour that only its network
 * reached. The kernel refuses them. Pure. */
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/net/plan.h"
#include "agent/net/range.h"

static bool has_address(const struct net_link *link, const struct net_addr *addr)
{
	for (size_t i = 0; link && i < link->addr_count; i++)
		if (link->addrs[i].prefix == addr->prefix &&
		    net_address_is_same(link->addrs[i].local, addr->local))
			return true;
	return false;
}

static bool is_local(const struct net_state *state, const char *address)
{
	for (size_t i = 0; i < state->link_count; i++)
		for (size_t k = 0; k < state->links[i].addr_count; k++)
			if (net_address_is_same(state->links[i].addrs[k].local, address))
				return true;
	return false;
}

static bool covers(const struct net_addr *addr, const struct net_range *single)
{
	struct net_range network;

	return net_range_of(addr->local, addr->prefix, &network) &&
	       net_range_overlap(&network, single);
}

/* Is the gateway in a network that its device loses? Where it never was in one, by what else it is reached is not
 * known here. */
static bool loses_network(const struct net_link *was, const struct net_link *link,
			  const struct net_range *gateway)
{
	for (size_t i = 0; was && i < was->addr_count; i++)
		if (covers(&was->addrs[i], gateway) && !has_address(link, &was->addrs[i]))
			return true;
	return false;
}

static bool is_reachable(const struct net_state *state, const struct net_link *link,
			 const struct net_range *gateway)
{
	struct net_range dst;

	for (size_t i = 0; link && i < link->addr_count; i++)
		if (covers(&link->addrs[i], gateway))
			return true;
	for (size_t i = 0; i < state->route_count; i++)
		if (!*state->routes[i].gateway && link &&
		    str_eq(state->routes[i].dev, link->name) &&
		    net_range_parse(state->routes[i].dst, &dst) && net_range_overlap(&dst, gateway))
			return true;
	return false;
}

/* Straight onto the device for the sake of an address: it goes with that. */
static bool is_of_gone_address(const struct net_state *target, const struct net_route *route)
{
	return !*route->gateway && *route->source && !is_local(target, route->source);
}

static bool is_gateway_lost(const struct net_state *now, const struct net_state *target,
			    const struct net_route *route)
{
	const struct net_link *link = net_state_link(target, route->dev);
	struct net_range gateway;

	return *route->gateway && !route->is_onlink && net_range_parse(route->gateway, &gateway) &&
	       loses_network(net_state_link(now, route->dev), link, &gateway) &&
	       !is_reachable(target, link, &gateway);
}

static void drop(struct net_state *target, const struct net_state *now, char *const *names)
{
	size_t kept = 0;

	for (size_t i = 0; i < target->route_count; i++) {
		const struct net_route *route = &target->routes[i];
		bool is_dead = now ? is_gateway_lost(now, target, route)
				   : is_of_gone_address(target, route);

		if (!is_dead || !strv_has(names, route->dev))
			target->routes[kept++] = *route;
	}
	target->route_count = kept;
}

void net_drop_dead_routes(const struct net_state *now, struct net_state *target, char *const *names)
{
	drop(target, NULL, names);
	/* those by way of a gateway may have needed one of these */
	drop(target, now, names);
	for (size_t i = 0; i < target->route_count; i++) {
		struct net_route *route = &target->routes[i];

		if (*route->source && strv_has(names, route->dev) &&
		    !is_local(target, route->source))
			route->source[0] = '\0'; /* the kernel chooses another one */
	}
}
