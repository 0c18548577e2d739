/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network's state as data. Pure, but for asking ip(8). */
#include "agent/net/state.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/exec.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/net/range.h"

#define IP_DEADLINE (10 * USEC_PER_SEC)

void net_state_fini(struct net_state *state)
{
	for (size_t i = 0; i < state->link_count; i++)
		free(state->links[i].addrs);
	free(state->links);
	free(state->routes);
	*state = NET_STATE_INIT;
}

void net_state_copy(struct net_state *dst, const struct net_state *src)
{
	struct net_state copy = *src;

	copy.links = xmemdup(src->links, src->link_count * sizeof(*src->links));
	copy.routes = xmemdup(src->routes, src->route_count * sizeof(*src->routes));
	for (size_t i = 0; i < src->link_count; i++)
		copy.links[i].addrs = xmemdup(src->links[i].addrs,
					      src->links[i].addr_count * sizeof(struct net_addr));
	*dst = copy;
}

struct net_link *net_state_link(const struct net_state *state, const char *name)
{
	for (size_t i = 0; i < state->link_count; i++)
		if (str_eq(state->links[i].name, name))
			return &state->links[i];
	return NULL;
}

struct net_link *net_state_add_link(struct net_state *state, const char *name)
{
	struct net_link *link;

	state->links = xrealloc(state->links, state->link_count + 1, sizeof(*state->links));
	link = &state->links[state->link_count++];
	*link = (struct net_link){.is_ethernet = true};
	str_copy(link->name, sizeof(link->name), name);
	return link;
}

void net_state_remove_link(struct net_state *state, const char *name)
{
	struct net_link *link = net_state_link(state, name);
	size_t at = link ? (size_t)(link - state->links) : 0;

	if (!link)
		return;
	free(link->addrs);
	memmove(link, link + 1, (state->link_count - at - 1) * sizeof(*link));
	state->link_count--;
	for (size_t i = 0; i < state->link_count; i++)
		if (str_eq(state->links[i].master, name))
			state->links[i].master[0] = '\0';
}

static struct net_addr *add_addr(struct net_link *link)
{
	link->addrs = xrealloc(link->addrs, link->addr_count + 1, sizeof(*link->addrs));
	link->addrs[link->addr_count] = (struct net_addr){0};
	return &link->addrs[link->addr_count++];
}

static struct net_addr *find_or_add(struct net_link *link, const char *local, unsigned prefix)
{
	for (size_t i = 0; i < link->addr_count; i++)
		if (link->addrs[i].prefix == prefix &&
		    net_address_is_same(link->addrs[i].local, local))
			return &link->addrs[i];
	return add_addr(link);
}

void net_link_add_addr(struct net_link *link, const char *cidr)
{
	const char *slash = strchrnul(cidr, '/');
	autofree char *local = xstrndup(cidr, (size_t)(slash - cidr));
	uint64_t prefix = strchr(cidr, ':') ? 128 : 32;
	struct net_addr *addr;

	if (*slash)
		str_to_u64(slash + 1, &prefix);
	addr = find_or_add(link, local, (unsigned)prefix);
	*addr = (struct net_addr){.prefix = (unsigned)prefix,
				  .is_v6 = strchr(cidr, ':') != NULL,
				  .valid = NET_FOREVER,
				  .preferred = NET_FOREVER};
	str_copy(addr->local, sizeof(addr->local), local);
	if (!addr->is_v6)
		str_copy(addr->broadcast, sizeof(addr->broadcast), "+");
}

void net_link_drop_addrs(struct net_link *link)
{
	size_t kept = 0;

	for (size_t i = 0; i < link->addr_count; i++)
		if (link->addrs[i].is_automatic)
			link->addrs[kept++] = link->addrs[i];
	link->addr_count = kept;
}

struct net_route *net_state_add_route(struct net_state *state)
{
	state->routes = xrealloc(state->routes, state->route_count + 1, sizeof(*state->routes));
	state->routes[state->route_count] = (struct net_route){0};
	return &state->routes[state->route_count++];
}

bool net_route_is_default(const struct net_route *route)
{
	return str_eq(route->dst, route->is_v6 ? "::/0" : "0.0.0.0/0");
}

const struct net_route *net_state_default(const struct net_state *state, bool is_v6)
{
	const struct net_route *best = NULL;

	for (size_t i = 0; i < state->route_count; i++) {
		const struct net_route *route = &state->routes[i];

		if (route->is_v6 == is_v6 && net_route_is_default(route) &&
		    (!best || route->metric < best->metric))
			best = route;
	}
	return best;
}

bool net_is_guest_link(const char *name)
{
	static const char *const kinds[] = {"veth", "tap", "vnet", "fwbr", "fwpr", "fwln"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *rest = str_after(name, kinds[i]);

		if (rest && *rest >= '0' && *rest <= '9')
			return true;
	}
	return false;
}

static void add_name(char ***names, size_t *count, const char *name)
{
	*names = xrealloc(*names, *count + 2, sizeof(**names));
	(*names)[(*count)++] = xstrdup(name);
	(*names)[*count] = NULL;
}

char **net_managed_names(const struct net_config *old, const struct net_config *new)
{
	const struct net_config *both[] = {old, new};
	char **names = xcalloc(1, sizeof(*names));
	size_t count = 0;

	for (size_t b = 0; b < ARRAY_SIZE(both); b++) {
		for (size_t i = 0; i < both[b]->count; i++) {
			const char *list = net_iface_get(&both[b]->items[i], "bridge_ports");
			autostrv char **ports = str_split(list ? list : "", " ,;");

			add_name(&names, &count, both[b]->items[i].name);
			for (char **port = ports; *port; port++)
				add_name(&names, &count, *port);
		}
	}
	return names;
}

/* ---- asking ---- */

void net_facts_fini(struct net_facts *facts)
{
	buf_fini(&facts->links);
	buf_fini(&facts->routes4);
	buf_fini(&facts->routes6);
}

static int ask(const char *const *argv, struct buf *out, struct err *err)
{
	struct exec_run run = {.argv = argv,
			       .deadline = clock_monotonic() + IP_DEADLINE,
			       .output_max = NET_JSON_MAX};
	struct exec_result result = {0};
	int r = exec_run(&run, &result, err);

	if (r == 0)
		buf_add(out, result.output.data, result.output.size);
	exec_result_fini(&result);
	return r;
}

int net_facts_read(struct net_facts *ret, struct err *err)
{
	static const char *const links[] = {"ip", "-json", "-details", "address", "show", NULL};
	static const char *const four[] = {"ip",   "-json", "-4",   "route",
					   "show", "table", "main", NULL};
	static const char *const six[] = {"ip",	  "-json", "-6",   "route",
					  "show", "table", "main", NULL};
	struct net_facts facts = {0};
	int r;

	if ((r = ask(links, &facts.links, err)) < 0 || (r = ask(four, &facts.routes4, err)) < 0 ||
	    (r = ask(six, &facts.routes6, err)) < 0) {
		net_facts_fini(&facts);
		return err_prefix(err, "read the network's state");
	}
	*ret = facts;
	return 0;
}

int net_state_read(struct net_state *ret, struct err *err)
{
	struct net_facts facts;
	int r = net_facts_read(&facts, err);

	if (r < 0)
		return r;
	r = net_state_parse(&facts, ret, err);
	net_facts_fini(&facts);
	return r;
}
