/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state that a configuration asks for. Pure. */
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/net/plan.h"
#include "agent/net/range.h"

#define MTU_DEFAULT 1500

struct target {
	struct net_state *state;
	const struct net_config *old, *new;
	char **names;
	struct net_lacks *lacks;
};

/* name: the interface that it is about. */
static int cannot(const struct target *t, const char *name, struct err *err, struct err *why)
{
	if (!t->lacks) {
		if (err)
			*err = *why;
		return -why->code;
	}
	buf_addf(&t->lacks->warnings, "%s\n", why->message);
	if (why->code == ERR_NOT_FOUND)
		buf_addf(&t->lacks->links, "%s\n", name);
	return 0;
}

static bool is_on(const struct net_iface *iface)
{
	return str_eq(net_iface_get(iface, "autostart"), "1");
}

static void drop_routes(struct net_state *state, const char *dev)
{
	size_t kept = 0;

	for (size_t i = 0; i < state->route_count; i++)
		if (!str_eq(state->routes[i].dev, dev))
			state->routes[kept++] = state->routes[i];
	state->route_count = kept;
}

static int remove_bridge(const struct target *t, const struct net_iface *iface, struct err *err)
{
	const struct net_link *bridge = net_state_link(t->state, iface->name);
	struct err why = ERR_INIT;

	if (!bridge || !str_eq(bridge->kind, "bridge"))
		return 0;
	for (size_t i = 0; i < t->state->link_count; i++) {
		const struct net_link *port = &t->state->links[i];

		if (!str_eq(port->master, iface->name) || net_iface_has_port(iface, port->name))
			continue;
		err_set(&why, ERR_BUSY, "bridge '%s' is in use: '%s' is a port of it", iface->name,
			port->name);
		return cannot(t, iface->name, err, &why);
	}
	drop_routes(t->state, iface->name);
	net_state_remove_link(t->state, iface->name);
	return 0;
}

static int remove_old(const struct target *t, struct err *err)
{
	for (size_t i = 0; i < t->old->count; i++) {
		const struct net_iface *iface = &t->old->items[i];
		const struct net_iface *now = net_config_find(t->new, iface->name);
		int r;

		if (!is_on(iface) || (now && is_on(now)) || !str_eq(iface->type, "bridge"))
			continue;
		if ((r = remove_bridge(t, iface, err)) < 0)
			return r;
	}
	return 0;
}

/* A port's own addresses and routes are its bridge's matter from then on. */
static int take_port(const struct target *t, const struct net_iface *iface, const char *name,
		     struct err *err)
{
	struct net_link *port = net_state_link(t->state, name);
	struct err why = ERR_INIT;

	if (!port)
		err_set(&why, ERR_NOT_FOUND, "port '%s' of '%s' does not exist", name, iface->name);
	else if (str_eq(port->kind, "bridge") || !port->is_ethernet)
		err_set(&why, ERR_INVALID, "'%s' cannot be a port of '%s'", name, iface->name);
	else if (*port->master && !str_eq(port->master, iface->name) &&
		 !net_config_bridge_of(t->old, name))
		err_set(&why, ERR_BUSY, "port '%s' of '%s' belongs to '%s' already", name,
			iface->name, port->master);
	if (why.code)
		return cannot(t, name, err, &why);
	str_copy(port->master, sizeof(port->master), iface->name);
	port->is_up = true;
	net_link_drop_addrs(port);
	drop_routes(t->state, name);
	return 0;
}

static int take_ports(const struct target *t, const struct net_iface *iface, struct err *err)
{
	const struct net_iface *was = net_config_find(t->old, iface->name);
	const char *list = net_iface_get(iface, "bridge_ports");
	autostrv char **ports = str_split(list ? list : "", " ,;");
	int r = 0;

	for (size_t i = 0; was && i < t->state->link_count; i++) {
		struct net_link *link = &t->state->links[i];

		if (str_eq(link->master, iface->name) && net_iface_has_port(was, link->name) &&
		    !net_iface_has_port(iface, link->name))
			link->master[0] = '\0';
	}
	for (char **port = ports; r == 0 && *port; port++)
		r = take_port(t, iface, *port, err);
	return r;
}

static bool is_inside(const char *cidr, const char *gateway)
{
	struct net_range network, address;

	return net_range_parse(cidr, &network) && net_range_parse(gateway, &address) &&
	       net_range_overlap(&network, &address);
}

/* Of a family there is one default route of ours; another one is the host's own, and stays. */
static int take_gateway(const struct target *t, const struct net_iface *iface, const char *cidr,
			const char *gateway, struct err *err)
{
	bool is_v6 = strchr(gateway, ':') != NULL;
	struct net_route *route;
	struct err why = ERR_INIT;
	size_t kept = 0;

	for (size_t i = 0; i < t->state->route_count; i++) {
		const struct net_route *r = &t->state->routes[i];
		bool is_default = r->is_v6 == is_v6 && net_route_is_default(r);

		if (is_default && !strv_has(t->names, r->dev))
			err_set(&why, ERR_BUSY,
				"gateway of '%s': this host has a default route by '%s', which "
				"Lodge "
				"does not configure",
				iface->name, r->dev);
		if (!is_default || !strv_has(t->names, r->dev))
			t->state->routes[kept++] = *r;
	}
	t->state->route_count = kept;
	if (why.code)
		return cannot(t, iface->name, err, &why);
	route = net_state_add_route(t->state);
	route->is_v6 = is_v6;
	route->is_onlink = !is_inside(cidr, gateway);
	str_copy(route->dst, sizeof(route->dst), is_v6 ? "::/0" : "0.0.0.0/0");
	str_copy(route->gateway, sizeof(route->gateway), gateway);
	str_copy(route->dev, sizeof(route->dev), iface->name);
	str_copy(route->protocol, sizeof(route->protocol), "static");
	return 0;
}

/* Those that Lodge set before are replaced. */
static void drop_own_defaults(const struct target *t, const char *dev)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->state->route_count; i++)
		if (!str_eq(t->state->routes[i].dev, dev) ||
		    !net_route_is_default(&t->state->routes[i]))
			t->state->routes[kept++] = t->state->routes[i];
	t->state->route_count = kept;
}

static int take_addresses(const struct target *t, const struct net_iface *iface,
			  struct net_link *link, struct err *err)
{
	static const char *const keys[][2] = {{"cidr", "gateway"}, {"cidr6", "gateway6"}};
	int r = 0;

	net_link_drop_addrs(link);
	drop_own_defaults(t, iface->name);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *cidr = net_iface_get(iface, keys[i][0]);

		if (cidr)
			net_link_add_addr(link, cidr);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(keys); i++) {
		const char *cidr = net_iface_get(iface, keys[i][0]);
		const char *gateway = net_iface_get(iface, keys[i][1]);

		if (cidr && gateway)
			r = take_gateway(t, iface, cidr, gateway, err);
	}
	return r;
}

static int take_iface(const struct target *t, const struct net_iface *iface, struct err *err)
{
	bool is_bridge = str_eq(iface->type, "bridge");
	struct net_link *link = net_state_link(t->state, iface->name);
	struct err why = ERR_INIT;

	if (link && is_bridge != str_eq(link->kind, "bridge"))
		err_set(&why, ERR_EXISTS, "'%s' exists and is %s bridge", iface->name,
			is_bridge ? "no" : "a");
	if (!link && !is_bridge)
		err_set(&why, ERR_NOT_FOUND, "interface '%s' does not exist", iface->name);
	if (why.code)
		return cannot(t, iface->name, err, &why);
	if (!link) {
		link = net_state_add_link(t->state, iface->name);
		str_copy(link->kind, sizeof(link->kind), "bridge");
	}
	link->is_up = true;
	/* a port's addresses were dropped with its bridge */
	return net_config_bridge_of(t->new, iface->name) ? 0 : take_addresses(t, iface, link, err);
}

/* That of its ports, as the kernel has it for a bridge that was told nothing, or of any ethernet. */
static unsigned default_mtu(const struct target *t, const struct net_link *link)
{
	unsigned lowest = 0;

	for (size_t i = 0; i < t->state->link_count; i++) {
		const struct net_link *port = &t->state->links[i];

		if (str_eq(port->master, link->name) && port->mtu > 0 &&
		    (lowest == 0 || port->mtu < lowest))
			lowest = port->mtu;
	}
	return lowest > 0 ? lowest : MTU_DEFAULT;
}

/* What Lodge set goes with the setting; an MTU that somebody else set stays. */
static void take_mtu(const struct target *t, const struct net_iface *iface)
{
	const struct net_iface *was = net_config_find(t->old, iface->name);
	struct net_link *link = net_state_link(t->state, iface->name);
	const char *mtu = net_iface_get(iface, "mtu");
	uint64_t value;

	if (!link)
		return;
	if (mtu && str_to_u64(mtu, &value))
		link->mtu = (unsigned)value;
	else if (was && is_on(was) && net_iface_get(was, "mtu"))
		link->mtu = default_mtu(t, link);
}

/* Those of ports first, which their bridge's may follow. */
static void take_mtus(const struct target *t)
{
	static const char *const types[] = {"eth", "bridge"};

	for (size_t k = 0; k < ARRAY_SIZE(types); k++)
		for (size_t i = 0; i < t->new->count; i++)
			if (is_on(&t->new->items[i]) && str_eq(t->new->items[i].type, types[k]))
				take_mtu(t, &t->new->items[i]);
}

int net_target(const struct net_state *now, const struct net_config *old,
	       const struct net_config *new, struct net_lacks *lacks, struct net_state *ret,
	       struct err *err)
{
	autonetstate state = NET_STATE_INIT;
	autostrv char **names = net_managed_names(old, new);
	const struct target t = {&state, old, new, names, lacks};
	int r;

	net_state_copy(&state, now);
	r = remove_old(&t, err);
	/* bridges first, then their ports, so that an address never is on two */
	for (size_t i = 0; r == 0 && i < new->count; i++)
		if (is_on(&new->items[i]) && str_eq(new->items[i].type, "bridge"))
			r = take_ports(&t, &new->items[i], err);
	for (size_t i = 0; r == 0 && i < new->count; i++)
		if (is_on(&new->items[i]))
			r = take_iface(&t, &new->items[i], err);
	if (r < 0)
		return r;
	take_mtus(&t);
	net_drop_dead_routes(now, &state, names);
	*ret = state;
	state = NET_STATE_INIT;
	return 0;
}
