/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `ip -json` prints, as state. Names of interfaces come from anybody who may make one: whatever does not
 * fit is left out. Pure. */
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/param.h"
#include "agent/base/str.h"
#include "agent/net/state.h"

#include <json-c/json.h>

static const char *text(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(o, key, &value);
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static int64_t number(struct json_object *o, const char *key, int64_t fallback)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(o, key, &value);
	return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : fallback;
}

static bool is_set(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(o, key, &value);
	return json_object_get_boolean(value);
}

static bool has_flag(struct json_object *o, const char *flag)
{
	struct json_object *flags = NULL;

	json_object_object_get_ex(o, "flags", &flags);
	for (size_t i = 0;
	     json_object_is_type(flags, json_type_array) && i < json_object_array_length(flags);
	     i++)
		if (str_eq(json_object_get_string(json_object_array_get_idx(flags, i)), flag))
			return true;
	return false;
}

/* Of an array, or of nothing. */
static size_t length(struct json_object *array)
{
	size_t n =
		json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;

	return n < NET_ITEMS_MAX ? n : NET_ITEMS_MAX;
}

/* A word of ip's own command language, or nothing. */
static bool is_word(const char *name)
{
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c > '~' || strchr("\"'\\#", *c))
			return false;
	return name[0] && name[0] != '-';
}

static bool is_address(const char *s)
{
	return param_format_is_valid("ip", s);
}

/* From a router's advertisement: ip 6.1 shows it as mngtmpaddr and by its protocol. */
static bool is_automatic(struct json_object *o)
{
	const char *protocol = text(o, "protocol");

	return str_eq(text(o, "scope"), "link") || is_set(o, "mngtmpaddr") ||
	       is_set(o, "temporary") || str_starts(protocol, "kernel_");
}

static void take_addr(struct json_object *o, struct net_link *link)
{
	struct net_addr addr = {
		.is_v6 = str_eq(text(o, "family"), "inet6"),
		.is_dynamic = is_set(o, "dynamic"),
		.is_automatic = is_automatic(o),
		.prefix = (unsigned)number(o, "prefixlen", 0),
		.valid = (uint32_t)number(o, "valid_life_time", NET_FOREVER),
		.preferred = (uint32_t)number(o, "preferred_life_time", NET_FOREVER),
	};

	if (!is_address(text(o, "local")) ||
	    !str_copy(addr.local, sizeof(addr.local), text(o, "local")))
		return;
	if (is_address(text(o, "broadcast")))
		str_copy(addr.broadcast, sizeof(addr.broadcast), text(o, "broadcast"));
	if (is_word(text(o, "label")))
		str_copy(addr.label, sizeof(addr.label), text(o, "label"));
	link->addrs = xrealloc(link->addrs, link->addr_count + 1, sizeof(*link->addrs));
	link->addrs[link->addr_count++] = addr;
}

static void take_link(struct json_object *o, struct net_state *state)
{
	struct json_object *info = NULL, *addrs = NULL, *peer = NULL;
	struct net_link *link;

	if (!is_word(text(o, "ifname")) || strlen(text(o, "ifname")) >= NET_NAME_SIZE)
		return;
	link = net_state_add_link(state, text(o, "ifname"));
	json_object_object_get_ex(o, "linkinfo", &info);
	if (info)
		str_copy(link->kind, sizeof(link->kind), text(info, "info_kind"));
	if (is_word(text(o, "master")))
		str_copy(link->master, sizeof(link->master), text(o, "master"));
	if (param_format_is_valid("mac-addr", text(o, "address")))
		str_copy(link->mac, sizeof(link->mac), text(o, "address"));
	link->mtu = (unsigned)number(o, "mtu", 0);
	link->is_up = has_flag(o, "UP");
	link->has_carrier = has_flag(o, "LOWER_UP");
	link->is_ethernet = str_eq(text(o, "link_type"), "ether");
	link->has_peer = json_object_object_get_ex(o, "link_netnsid", &peer);
	json_object_object_get_ex(o, "addr_info", &addrs);
	for (size_t i = 0; i < length(addrs); i++)
		take_addr(json_object_array_get_idx(addrs, i), link);
}

static bool take_dst(const char *dst, bool is_v6, struct net_route *route)
{
	const char *all = is_v6 ? "::/0" : "0.0.0.0/0";

	if (str_eq(dst, "default"))
		dst = all;
	return (is_address(dst) || param_format_is_valid("CIDR", dst)) &&
	       str_copy(route->dst, sizeof(route->dst), dst);
}

/* Of several next hops at once Lodge knows nothing: such a route is left alone. */
static void take_route(struct json_object *o, bool is_v6, struct net_state *state)
{
	const char *protocol = text(o, "protocol"), *gateway = text(o, "gateway");
	struct net_route route = {.is_v6 = is_v6,
				  .metric = (unsigned)number(o, "metric", 0),
				  .is_onlink = has_flag(o, "onlink")};

	if (str_eq(protocol, "kernel") || str_eq(protocol, "ra") || !is_word(text(o, "dev")) ||
	    !str_copy(route.dev, sizeof(route.dev), text(o, "dev")) ||
	    !take_dst(text(o, "dst"), is_v6, &route) || *text(o, "type"))
		return;
	if (*gateway &&
	    (!is_address(gateway) || !str_copy(route.gateway, sizeof(route.gateway), gateway)))
		return;
	if (is_word(protocol))
		str_copy(route.protocol, sizeof(route.protocol), protocol);
	if (is_word(text(o, "scope")))
		str_copy(route.scope, sizeof(route.scope), text(o, "scope"));
	if (is_address(text(o, "prefsrc")))
		str_copy(route.source, sizeof(route.source), text(o, "prefsrc"));
	*net_state_add_route(state) = route;
}

static int parse(struct buf *json, struct json_object **ret, struct err *err)
{
	if (json->size == 0) { /* some versions print nothing for an empty list */
		*ret = json_object_new_array();
		return 0;
	}
	return json_parse(json->data, json->size, NET_JSON_MAX, ret, err);
}

static int parse_routes(struct buf *json, bool is_v6, struct net_state *state, struct err *err)
{
	struct json_object *routes = NULL;
	int r = parse(json, &routes, err);

	for (size_t i = 0; r == 0 && i < length(routes); i++)
		take_route(json_object_array_get_idx(routes, i), is_v6, state);
	json_object_put(routes);
	return r;
}

int net_state_parse(struct net_facts *facts, struct net_state *ret, struct err *err)
{
	autonetstate state = NET_STATE_INIT;
	struct json_object *links = NULL;
	int r = parse(&facts->links, &links, err);

	for (size_t i = 0; r == 0 && i < length(links); i++)
		take_link(json_object_array_get_idx(links, i), &state);
	json_object_put(links);
	if (r < 0 || (r = parse_routes(&facts->routes4, false, &state, err)) < 0 ||
	    (r = parse_routes(&facts->routes6, true, &state, err)) < 0)
		return err_prefix(err, "what ip said");
	*ret = state;
	state = NET_STATE_INIT;
	return 0;
}
