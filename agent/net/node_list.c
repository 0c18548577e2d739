/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of a node's interfaces. Pure. */
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/net/node_net.h"

#define NAT_COMMENT                                                                                \
	"NAT bridge of Lodge for guests, with DHCP and DNS: not changed here (LODGE_BRIDGE)"

static const char *type_of(const struct net_link *link, const struct net_iface *iface)
{
	static const char *const kinds[] = {"bridge", "bond", "vlan"};

	if (iface)
		return iface->type;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_eq(link->kind, kinds[i]))
			return kinds[i];
	return str_eq(link->kind, "") || str_eq(link->kind, "veth") ? "eth" : "unknown";
}

/* Guests' ends, tunnels of others and the loopback are nobody's to configure here. */
static bool is_shown(const struct net_link *link)
{
	return link->is_ethernet && !net_is_guest_link(link->name) &&
	       !str_starts(link->name, "veth") && !str_eq(link->kind, "tun");
}

static bool is_of_type(const char *type, const char *wanted)
{
	if (!wanted || str_eq(wanted, "include_sdn"))
		return true;
	if (str_eq(wanted, "any_bridge") || str_eq(wanted, "any_local_bridge"))
		return str_eq(type, "bridge");
	return str_eq(type, wanted);
}

struct family {
	bool is_v6;
	const char *cidr, *address, *netmask, *gateway, *method;
};

static const struct family families[] = {
	{false, "cidr", "address", "netmask", "gateway", "method"},
	{true, "cidr6", "address6", "netmask6", "gateway6", "method6"},
};

/* The first that somebody gave it. */
static const struct net_addr *live_addr(const struct net_link *link, bool is_v6)
{
	for (size_t i = 0; link && i < link->addr_count; i++)
		if (link->addrs[i].is_v6 == is_v6 && !link->addrs[i].is_automatic)
			return &link->addrs[i];
	return NULL;
}

static const char *live_gateway(const struct net_listing *l, const struct net_link *link,
				bool is_v6)
{
	const struct net_route *route = net_state_default(l->now, is_v6);

	return link && route && str_eq(route->dev, link->name) ? route->gateway : NULL;
}

static void write_address(const struct family *family, const char *cidr, struct json *j)
{
	const char *slash = strchrnul(cidr, '/');
	autofree char *address = xstrndup(cidr, (size_t)(slash - cidr));
	uint64_t bits = family->is_v6 ? 128 : 32;

	if (*slash)
		str_to_u64(slash + 1, &bits);
	json_kv_string(j, family->cidr, cidr);
	json_kv_string(j, family->address, address);
	if (family->is_v6)
		json_kv_uint(j, family->netmask, bits);
	else
		json_kv_string(j, family->netmask, slash + (*slash == '/'));
}

/* true: the family has an address */
static bool write_family(const struct net_listing *l, const struct family *family,
			 const struct net_iface *iface, const struct net_link *link, struct json *j)
{
	const struct net_addr *live = iface ? NULL : live_addr(link, family->is_v6);
	const char *cidr = iface ? net_iface_get(iface, family->cidr) : NULL;
	const char *gateway = iface ? net_iface_get(iface, family->gateway)
				    : live_gateway(l, link, family->is_v6);
	autofree char *text = live ? xasprintf("%s/%u", live->local, live->prefix) : NULL;

	if (!cidr)
		cidr = text;
	json_kv_string(j, family->method,
		       !cidr			  ? "manual"
		       : live && live->is_dynamic ? "dhcp"
						  : "static");
	if (cidr)
		write_address(family, cidr, j);
	if (!str_is_empty(gateway))
		json_kv_string(j, family->gateway, gateway);
	return cidr != NULL;
}

static void write_addresses(const struct net_listing *l, const struct net_iface *iface,
			    const struct net_link *link, struct json *j)
{
	bool has[2];

	for (size_t i = 0; i < 2; i++)
		has[i] = write_family(l, &families[i], iface, link, j);
	json_key(j, "families");
	json_array_begin(j);
	if (has[0] || !has[1])
		json_string(j, "inet");
	if (has[1])
		json_string(j, "inet6");
	json_array_end(j);
}

static void live_ports(const struct net_listing *l, const char *bridge, struct buf *out)
{
	for (size_t i = 0; i < l->now->link_count; i++)
		if (str_eq(l->now->links[i].master, bridge) &&
		    !net_is_guest_link(l->now->links[i].name))
			buf_addf(out, "%s%s", out->size ? " " : "", l->now->links[i].name);
}

static void write_bridge(const struct net_listing *l, const struct net_iface *iface,
			 const char *name, struct json *j)
{
	autobuf live = BUF_INIT;
	const char *ports = iface ? net_iface_get(iface, "bridge_ports") : NULL;

	if (!iface)
		live_ports(l, name, &live);
	json_kv_string(j, "bridge_ports", iface ? (ports ? ports : "") : buf_str(&live));
	json_kv_string(j, "bridge_stp", "off");
	json_kv_string(j, "bridge_fd", "0");
}

static void write_told(const struct net_iface *iface, struct json *j)
{
	const char *mtu = net_iface_get(iface, "mtu");
	uint64_t value;

	if (mtu && str_to_u64(mtu, &value))
		json_kv_uint(j, "mtu", value);
	for (size_t i = 0; i < 2; i++) {
		const char *key = i == 0 ? "comments" : "comments6";
		const char *text = net_iface_get(iface, key);

		if (text)
			json_kv_string(j, key, text);
	}
	if (str_eq(net_iface_get(iface, "autostart"), "1"))
		json_kv_bool(j, "autostart", true);
}

/* managed is of Lodge, and shows whom to ask: "lodge", "nat" or "host". */
static void write_one(const struct net_listing *l, const char *name, unsigned priority,
		      struct json *j)
{
	const struct net_link *link = net_state_link(l->now, name);
	const struct net_iface *iface = net_config_find(l->next, name);
	const char *type = type_of(link, iface);
	bool is_nat = *l->nat_bridge && str_eq(name, l->nat_bridge);

	json_object_begin(j);
	json_kv_string(j, "iface", name);
	json_kv_string(j, "type", type);
	json_kv_uint(j, "priority", priority);
	write_addresses(l, iface, link, j);
	if (str_eq(type, "bridge"))
		write_bridge(l, iface, name, j);
	if (iface)
		write_told(iface, j);
	if (is_nat) {
		json_kv_string(j, "comments", NAT_COMMENT);
		json_kv_bool(j, "autostart", true);
	}
	if (link && link->is_up)
		json_kv_bool(j, "active", true);
	if (link)
		json_kv_bool(j, "exists", true);
	json_kv_string(j, "managed", is_nat ? "nat" : iface ? "lodge" : "host");
	json_object_end(j);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Borrowed names, sorted; each once. */
static size_t names_of(const struct net_listing *l, const char ***ret)
{
	const char **names = xcalloc(l->now->link_count + l->next->count + 1, sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; i < l->now->link_count; i++)
		if (is_shown(&l->now->links[i]) || net_config_find(l->next, l->now->links[i].name))
			names[count++] = l->now->links[i].name;
	for (size_t i = 0; i < l->next->count; i++)
		if (!net_state_link(l->now, l->next->items[i].name))
			names[count++] = l->next->items[i].name;
	qsort(names, count, sizeof(*names), by_name);
	*ret = names;
	return count;
}

bool net_listing_write(const struct net_listing *l, struct json *j)
{
	const char **names;
	size_t count = names_of(l, &names);
	bool is_found = !l->only;

	if (!l->only)
		json_array_begin(j);
	for (size_t i = 0; i < count; i++) {
		const char *type = type_of(net_state_link(l->now, names[i]),
					   net_config_find(l->next, names[i]));

		if (l->only ? !str_eq(l->only, names[i]) : !is_of_type(type, l->type))
			continue;
		write_one(l, names[i], (unsigned)i + 1, j);
		is_found = true;
	}
	if (!l->only)
		json_array_end(j);
	free(names);
	return is_found;
}
