/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands between two states. Pure. */
#include "agent/net/plan.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/net/range.h"

struct plan {
	const struct net_state *from, *to;
	char *const *names;
	struct buf *out;
};

static bool is_managed(const struct plan *p, const char *name)
{
	return strv_has(p->names, name);
}

static const struct net_addr *find_addr(const struct net_link *link, const struct net_addr *wanted)
{
	for (size_t i = 0; link && i < link->addr_count; i++)
		if (link->addrs[i].prefix == wanted->prefix &&
		    net_address_is_same(link->addrs[i].local, wanted->local))
			return &link->addrs[i];
	return NULL;
}

static bool is_same_route(const struct net_route *a, const struct net_route *b)
{
	/* the kernel gives IPv6 routes a metric of 1024 where none was asked for */
	unsigned first = a->is_v6 && !a->metric ? 1024 : a->metric;
	unsigned second = b->is_v6 && !b->metric ? 1024 : b->metric;

	return a->is_v6 == b->is_v6 && first == second && str_eq(a->dst, b->dst) &&
	       str_eq(a->dev, b->dev) && net_address_is_same(a->gateway, b->gateway) &&
	       net_address_is_same(a->source, b->source);
}

static bool has_route(const struct net_state *state, const struct net_route *wanted)
{
	for (size_t i = 0; i < state->route_count; i++)
		if (is_same_route(&state->routes[i], wanted))
			return true;
	return false;
}

static void route_line(const struct plan *p, const char *verb, const struct net_route *route)
{
	bool is_add = str_eq(verb, "add");

	buf_addf(p->out, "route %s %s", verb, route->dst);
	if (*route->gateway)
		buf_addf(p->out, " via %s", route->gateway);
	buf_addf(p->out, " dev %s", route->dev);
	if (route->metric)
		buf_addf(p->out, " metric %u", route->metric);
	if (is_add && *route->protocol && !str_eq(route->protocol, "boot"))
		buf_addf(p->out, " proto %s", route->protocol);
	if (is_add && *route->source)
		buf_addf(p->out, " src %s", route->source);
	if (is_add && route->is_onlink)
		buf_add_str(p->out, " onlink");
	buf_add_char(p->out, '\n');
}

static void remove_routes(const struct plan *p)
{
	for (size_t i = 0; i < p->from->route_count; i++)
		if (is_managed(p, p->from->routes[i].dev) && !has_route(p->to, &p->from->routes[i]))
			route_line(p, "del", &p->from->routes[i]);
}

/* First those to single gateways, which others lead through. */
static void add_routes(const struct plan *p)
{
	for (int has_gateway = 0; has_gateway <= 1; has_gateway++) {
		for (size_t i = 0; i < p->to->route_count; i++) {
			const struct net_route *route = &p->to->routes[i];

			if ((*route->gateway != '\0') == has_gateway && is_managed(p, route->dev) &&
			    !has_route(p->from, route))
				route_line(p, "add", route);
		}
	}
}

static void remove_addrs(const struct plan *p, const struct net_link *from,
			 const struct net_link *to)
{
	for (size_t i = 0; i < from->addr_count; i++)
		if (!from->addrs[i].is_automatic && !find_addr(to, &from->addrs[i]))
			buf_addf(p->out, "address del %s/%u dev %s\n", from->addrs[i].local,
				 from->addrs[i].prefix, from->name);
}

static const char *lifetime(uint32_t seconds, char ret[16])
{
	if (seconds == NET_FOREVER)
		return "forever";
	snprintf(ret, 16, "%u", seconds);
	return ret;
}

static void addr_line(const struct plan *p, const char *verb, const char *name,
		      const struct net_addr *addr)
{
	uint32_t preferred = addr->preferred < addr->valid ? addr->preferred : addr->valid;
	bool lasts = addr->valid == NET_FOREVER && preferred == NET_FOREVER;
	char text[2][16];

	buf_addf(p->out, "address %s %s/%u", verb, addr->local, addr->prefix);
	if (*addr->broadcast && addr->prefix < 31)
		buf_addf(p->out, " broadcast %s", addr->broadcast);
	buf_addf(p->out, " dev %s", name);
	if (*addr->label && !str_eq(addr->label, name))
		buf_addf(p->out, " label %s", addr->label);
	if (!lasts || str_eq(verb, "replace"))
		buf_addf(p->out, " valid_lft %s preferred_lft %s", lifetime(addr->valid, text[0]),
			 lifetime(preferred, text[1]));
	buf_add_char(p->out, '\n');
}

/* An address with a lifetime goes when nobody renews it: that is another state than to have it for ever, while how
 * much of it is left is none of ours. */
static bool changes_lifetime(const struct net_addr *from, const struct net_addr *to)
{
	if (from->is_automatic && to->is_automatic)
		return false;
	return (from->valid == NET_FOREVER) != (to->valid == NET_FOREVER) ||
	       (from->preferred == NET_FOREVER) != (to->preferred == NET_FOREVER);
}

static void add_addrs(const struct plan *p, const struct net_link *from, const struct net_link *to)
{
	for (size_t i = 0; i < to->addr_count; i++) {
		const struct net_addr *had = find_addr(from, &to->addrs[i]);

		if (had && changes_lifetime(had, &to->addrs[i]))
			addr_line(p, "replace", to->name, &to->addrs[i]);
		else if (!had && !to->addrs[i].is_automatic)
			addr_line(p, "add", to->name, &to->addrs[i]);
	}
}

/* Which end is which: `each` with what was (NULL: nothing) and what shall be (NULL: nothing). */
typedef void (*each_fn)(const struct plan *p, const struct net_link *from,
			const struct net_link *to);

static void each_link(const struct plan *p, each_fn each)
{
	for (size_t i = 0; i < p->from->link_count; i++)
		if (is_managed(p, p->from->links[i].name))
			each(p, &p->from->links[i], net_state_link(p->to, p->from->links[i].name));
	for (size_t i = 0; i < p->to->link_count; i++)
		if (is_managed(p, p->to->links[i].name) &&
		    !net_state_link(p->from, p->to->links[i].name))
			each(p, NULL, &p->to->links[i]);
}

static void delete_link(const struct plan *p, const struct net_link *from,
			const struct net_link *to)
{
	if (from && !to && str_eq(from->kind, "bridge"))
		buf_addf(p->out, "link delete dev %s type bridge\n", from->name);
}

static void make_link(const struct plan *p, const struct net_link *from, const struct net_link *to)
{
	if (from || !to || !str_eq(to->kind, "bridge"))
		return;
	buf_addf(p->out, "link add name %s", to->name);
	if (*to->mac)
		buf_addf(p->out, " address %s", to->mac);
	buf_add_str(p->out, " type bridge\n");
}

static void take_addrs(const struct plan *p, const struct net_link *from, const struct net_link *to)
{
	if (from && to)
		remove_addrs(p, from, to);
}

static void change_link(const struct plan *p, const struct net_link *from,
			const struct net_link *to)
{
	bool can_be = to && (from || str_eq(to->kind, "bridge"));

	if (!can_be)
		return;
	if (!str_eq(from ? from->master : "", to->master)) {
		if (*to->master)
			buf_addf(p->out, "link set dev %s master %s\n", to->name, to->master);
		else
			buf_addf(p->out, "link set dev %s nomaster\n", to->name);
	}
	if (to->mtu && (!from || from->mtu != to->mtu))
		buf_addf(p->out, "link set dev %s mtu %u\n", to->name, to->mtu);
	if ((from && from->is_up) != to->is_up)
		buf_addf(p->out, "link set dev %s %s\n", to->name, to->is_up ? "up" : "down");
}

static void give_addrs(const struct plan *p, const struct net_link *from, const struct net_link *to)
{
	if (to && (from || str_eq(to->kind, "bridge")))
		add_addrs(p, from, to);
}

void net_plan(const struct net_state *from, const struct net_state *to, char *const *names,
	      struct buf *out)
{
	const struct plan p = {from, to, names, out};
	static const each_fn steps[] = {take_addrs, delete_link, make_link, change_link,
					give_addrs};

	remove_routes(&p);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		each_link(&p, steps[i]);
	add_routes(&p);
}

/* ---- safety ---- */

static bool covers_something(const struct plan *p, const struct net_addr *addr, const char *peer)
{
	struct net_range added, other;

	if (!net_range_of(addr->local, addr->prefix, &added) || !net_range_parse(peer, &other) ||
	    net_range_overlap(&added, &other))
		return true;
	for (size_t i = 0; i < p->from->link_count; i++)
		for (size_t k = 0; k < p->from->links[i].addr_count; k++)
			if (net_range_of(p->from->links[i].addrs[k].local,
					 p->from->links[i].addrs[k].prefix, &other) &&
			    net_range_overlap(&added, &other))
				return true;
	for (size_t i = 0; i < p->from->route_count; i++)
		if (*p->from->routes[i].gateway &&
		    net_range_parse(p->from->routes[i].gateway, &other) &&
		    net_range_overlap(&added, &other))
			return true;
	return false;
}

/* With addresses for its own link at most. */
static bool is_idle(const struct plan *p, const struct net_link *link)
{
	struct net_range local, own;

	if (!net_range_parse("fe80::/10", &local))
		return false;
	for (size_t i = 0; i < link->addr_count; i++)
		if (!net_range_parse(link->addrs[i].local, &own) ||
		    !net_range_overlap(&own, &local))
			return false;
	for (size_t i = 0; i < p->from->route_count; i++)
		if (str_eq(p->from->routes[i].dev, link->name))
			return false;
	return !*link->master;
}

static bool is_link_safe(const struct plan *p, const struct net_link *to, const char *peer)
{
	const struct net_link *from = net_state_link(p->from, to->name);
	autobuf lines = BUF_INIT;
	const struct plan own = {p->from, p->to, p->names, &lines};

	for (size_t i = 0; i < to->addr_count; i++) {
		const struct net_addr *had = find_addr(from, &to->addrs[i]);

		if (had ? changes_lifetime(had, &to->addrs[i])
			: !to->addrs[i].is_automatic && covers_something(p, &to->addrs[i], peer))
			return false;
	}
	if (!from)
		return true;
	remove_addrs(&own, from, to);
	change_link(&own, from, to);
	return lines.size == 0 || is_idle(p, from);
}

bool net_change_is_safe(const struct net_state *from, const struct net_state *to,
			char *const *names, const char *peer)
{
	autobuf routes = BUF_INIT;
	const struct plan p = {from, to, names, &routes};

	remove_routes(&p);
	add_routes(&p);
	if (routes.size > 0)
		return false;
	for (size_t i = 0; i < from->link_count; i++)
		if (is_managed(&p, from->links[i].name) &&
		    !net_state_link(to, from->links[i].name) && !is_idle(&p, &from->links[i]))
			return false;
	for (size_t i = 0; i < to->link_count; i++)
		if (is_managed(&p, to->links[i].name) && !is_link_safe(&p, &to->links[i], peer))
			return false;
	return true;
}
