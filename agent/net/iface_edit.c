/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to the interfaces' configuration, from the parameters of the API. Pure. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/param.h"
#include "agent/base/str.h"
#include "agent/net/iface.h"

/* In the order in which they are written. */
static const char *const plain_keys[] = {"autostart", "gateway",   "gateway6",	  "mtu",
					 "comments",  "comments6", "bridge_ports"};

/* Of the contract, and not built: each with the reason. */
static const struct {
	const char *param, *reason;
} refused[] = {
	{"bridge_vids", "bridges that know VLANs are not built"},
	{"vlan-id", "VLAN interfaces are not built"},
	{"vlan-raw-device", "VLAN interfaces are not built"},
	{"slaves", "bonds are not built"},
	{"bond_mode", "bonds are not built"},
	{"bond-primary", "bonds are not built"},
	{"bond_xmit_hash_policy", "bonds are not built"},
	{"ovs_bonds", "Open vSwitch is not supported"},
	{"ovs_bridge", "Open vSwitch is not supported"},
	{"ovs_options", "Open vSwitch is not supported"},
	{"ovs_ports", "Open vSwitch is not supported"},
	{"ovs_tag", "Open vSwitch is not supported"},
};

static int check_refused(const struct fields *params, struct err *err)
{
	bool on = false;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		const char *value = fields_get(params, refused[i].param);

		if (!str_is_empty(value))
			return err_field(err, refused[i].param, "%s", refused[i].reason);
	}
	if (str_to_bool(fields_get(params, "bridge_vlan_aware") ?: "0", &on) && on)
		return err_field(err, "bridge_vlan_aware", "bridges that know VLANs are not built");
	return 0;
}

static int check_type(const char *type, struct err *err)
{
	if (str_eq(type, "bridge") || str_eq(type, "eth"))
		return 0;
	return err_field(
		err, "type",
		"interfaces of type '%s' are not built; bridge and eth are, and interfaces "
		"that the host makes can be ports of a bridge",
		type);
}

static unsigned mask_bits(const char *mask)
{
	struct in_addr address;
	uint64_t bits;

	if (str_to_u64(mask, &bits))
		return (unsigned)bits;
	return inet_pton(AF_INET, mask, &address) == 1
		       ? (unsigned)__builtin_popcount(address.s_addr)
		       : 32;
}

struct family {
	const char *cidr, *address, *netmask, *gateway;
};

static const struct family families[] = {
	{"cidr", "address", "netmask", "gateway"},
	{"cidr6", "address6", "netmask6", "gateway6"},
};

/* Both ways to say it mean the same, or one of them is wrong. NULL where neither is there. */
static int take_address(const struct family *family, const struct fields *params, char **ret,
			struct err *err)
{
	const char *cidr = fields_get(params, family->cidr);
	const char *address = fields_get(params, family->address);
	const char *netmask = fields_get(params, family->netmask);
	autofree char *joined = NULL;

	if (address && !netmask)
		return err_field(err, family->netmask, "missing: %s needs it", family->address);
	if (netmask && !address && !cidr)
		return err_field(err, family->address, "missing: %s needs it", family->netmask);
	if (address)
		joined = xasprintf("%s/%u", address, mask_bits(netmask));
	if (cidr && joined && !str_eq(cidr, joined))
		return err_field(err, family->cidr, "is not %s with %s", family->address,
				 family->netmask);
	*ret = cidr ? xstrdup(cidr) : TAKE(joined);
	return 0;
}

static bool is_usable(const char *cidr)
{
	const char *slash = strchr(cidr, '/');
	autofree char *address = xstrndup(cidr, (size_t)(slash - cidr));
	struct in_addr four;
	struct in6_addr six;

	if (inet_pton(AF_INET, address, &four) == 1)
		return four.s_addr != 0 && !IN_MULTICAST(ntohl(four.s_addr)) &&
		       four.s_addr != INADDR_BROADCAST;
	return inet_pton(AF_INET6, address, &six) == 1 && !IN6_IS_ADDR_UNSPECIFIED(&six) &&
	       !IN6_IS_ADDR_MULTICAST(&six);
}

static int check_ports(const struct net_config *config, const struct net_iface *iface,
		       struct err *err)
{
	const char *value = net_iface_get(iface, "bridge_ports");
	autostrv char **ports = str_split(value ? value : "", " ,;");

	if (value && !str_eq(iface->type, "bridge"))
		return err_field(err, "bridge_ports", "only a bridge has ports");
	for (char **port = ports; *port; port++) {
		const struct net_iface *other = net_config_find(config, *port);

		if (strlen(*port) >= NET_NAME_SIZE || strchr(*port, ':'))
			return err_field(err, "bridge_ports", "'%s' cannot be a port", *port);
		if (str_eq(*port, iface->name))
			return err_field(err, "bridge_ports", "a bridge is no port of itself");
		if (other && str_eq(other->type, "bridge"))
			return err_field(err, "bridge_ports", "'%s' is a bridge", *port);
		if (other && (net_iface_get(other, "cidr") || net_iface_get(other, "cidr6")))
			return err_field(err, "bridge_ports",
					 "'%s' has an address; a port has none, its bridge has",
					 *port);
		for (size_t i = 0; i < config->count; i++)
			if (!str_eq(config->items[i].name, iface->name) &&
			    net_iface_has_port(&config->items[i], *port))
				return err_field(err, "bridge_ports", "'%s' is a port of '%s'",
						 *port, config->items[i].name);
	}
	return 0;
}

static int check_addresses(const struct net_config *config, const struct net_iface *iface,
			   struct err *err)
{
	const struct net_iface *bridge = net_config_bridge_of(config, iface->name);

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const char *cidr = net_iface_get(iface, families[i].cidr);

		if (cidr && !is_usable(cidr))
			return err_field(err, families[i].cidr, "'%s' cannot be an address", cidr);
		if (cidr && bridge)
			return err_field(err, families[i].cidr,
					 "'%s' is a port of '%s', and that has the address",
					 iface->name, bridge->name);
		if (!net_iface_get(iface, families[i].gateway))
			continue;
		if (!cidr)
			return err_field(err, families[i].gateway, "needs an address");
		for (size_t k = 0; k < config->count; k++)
			if (!str_eq(config->items[k].name, iface->name) &&
			    net_iface_get(&config->items[k], families[i].gateway))
				return err_field(
					err, families[i].gateway,
					"Default gateway already exists on interface '%s'.",
					config->items[k].name);
	}
	return 0;
}

/* A key that is not given is gone, as in the contract: replacing an interface says all of it. */
static int take_keys(const struct fields *params, struct net_iface *iface, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		autofree char *cidr = NULL;
		int r = take_address(&families[i], params, &cidr, err);

		if (r < 0)
			return r;
		fields_add(&iface->keys, families[i].cidr, cidr);
	}
	for (size_t i = 0; i < ARRAY_SIZE(plain_keys); i++) {
		const char *value = fields_get(params, plain_keys[i]);
		bool on;

		if (str_is_empty(value))
			continue;
		if (str_eq(plain_keys[i], "autostart") && str_to_bool(value, &on))
			value = on ? "1" : NULL;
		fields_add(&iface->keys, plain_keys[i], value);
	}
	return 0;
}

static void drop_deleted(const struct fields *params, struct fields *ret)
{
	const char *list = fields_get(params, "delete");
	autostrv char **keys = str_split(list ? list : "", " ,;");

	fields_copy(ret, params);
	for (char **key = keys; *key; key++)
		fields_remove(ret, *key);
}

static int make_iface(const struct net_config *config, const char *name, const char *type,
		      const struct fields *params, struct net_iface *ret, struct err *err)
{
	struct net_iface iface = {0};
	int r;

	str_copy(iface.type, sizeof(iface.type), type);
	if (strchr(name, ':'))
		return err_field(err, "iface",
				 "aliases are not built: a second address needs none");
	if (!str_copy(iface.name, sizeof(iface.name), name))
		return err_field(err, "iface", "the kernel takes at most %d characters",
				 NET_NAME_SIZE - 1);
	if (str_eq(name, "lo"))
		return err_field(err, "iface", "the loopback interface is not changed");
	if ((r = take_keys(params, &iface, err)) < 0 ||
	    (r = check_ports(config, &iface, err)) < 0 ||
	    (r = check_addresses(config, &iface, err)) < 0) {
		fields_fini(&iface.keys);
		return r;
	}
	*ret = iface;
	return 0;
}

int net_config_set(struct net_config *config, const char *name, bool is_new,
		   const struct fields *params, struct err *err)
{
	struct net_iface *old = net_config_find(config, name), iface;
	const char *type = fields_get(params, "type");
	autofields given = FIELDS_INIT;
	int r;

	if (is_new && old)
		return err_set(err, ERR_EXISTS, "interface '%s' already exists", name);
	if (config->count == NET_IFACES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d interfaces", NET_IFACES_MAX);
	drop_deleted(params, &given);
	if ((r = check_type(type ? type : "", err)) < 0 || (r = check_refused(&given, err)) < 0)
		return r;
	if (old && !str_eq(old->type, type))
		return err_field(err, "type", "'%s' is of type '%s'", name, old->type);
	if ((r = make_iface(config, name, type, &given, &iface, err)) < 0)
		return r;
	if (old) {
		fields_fini(&old->keys);
		*old = iface;
		return 0;
	}
	config->items = xrealloc(config->items, config->count + 1, sizeof(*config->items));
	config->items[config->count++] = iface;
	return 0;
}

int net_config_remove(struct net_config *config, const char *name, struct err *err)
{
	struct net_iface *iface = net_config_find(config, name);
	const struct net_iface *bridge = net_config_bridge_of(config, name);
	size_t at;

	if (!iface)
		return err_set(err, ERR_NOT_FOUND, "interface '%s' does not exist", name);
	if (bridge)
		return err_set(err, ERR_BUSY, "interface '%s' is a port of '%s'", name,
			       bridge->name);
	at = (size_t)(iface - config->items);
	fields_fini(&iface->keys);
	memmove(iface, iface + 1, (config->count - at - 1) * sizeof(*iface));
	config->count--;
	return 0;
}
