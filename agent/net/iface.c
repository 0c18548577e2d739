/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes the text of the interfaces' configuration. Pure. */
#include "agent/net/iface.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/digest.h"
#include "agent/base/mem.h"
#include "agent/base/param.h"
#include "agent/base/str.h"

void net_config_fini(struct net_config *config)
{
	for (size_t i = 0; i < config->count; i++)
		fields_fini(&config->items[i].keys);
	free(config->items);
	*config = NET_CONFIG_INIT;
}

struct net_iface *net_config_find(const struct net_config *config, const char *name)
{
	for (size_t i = 0; i < config->count; i++)
		if (str_eq(config->items[i].name, name))
			return &config->items[i];
	return NULL;
}

const char *net_iface_get(const struct net_iface *iface, const char *key)
{
	return fields_get(&iface->keys, key);
}

bool net_iface_has_port(const struct net_iface *iface, const char *port)
{
	const char *ports = net_iface_get(iface, "bridge_ports");
	autostrv char **names = str_split(ports ? ports : "", " ,;");

	return strv_has(names, port);
}

const struct net_iface *net_config_bridge_of(const struct net_config *config, const char *port)
{
	for (size_t i = 0; i < config->count; i++)
		if (net_iface_has_port(&config->items[i], port))
			return &config->items[i];
	return NULL;
}

/* ---- text ---- */

static void escape(const char *value, struct buf *out)
{
	for (const char *c = value; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '%')
			buf_addf(out, "%%%02X", (unsigned char)*c);
		else
			buf_add_char(out, *c);
	}
}

void net_config_format(const struct net_config *config, struct buf *out)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct net_iface *iface = &config->items[i];

		buf_addf(out, "%s%s: %s\n", i > 0 ? "\n" : "", iface->type, iface->name);
		for (size_t k = 0; k < iface->keys.count; k++) {
			buf_addf(out, "\t%s ", iface->keys.items[k].name);
			escape(iface->keys.items[k].value, out);
			buf_add_char(out, '\n');
		}
	}
}

static bool is_kernel_name(const char *name)
{
	return strlen(name) < NET_NAME_SIZE && !strchr(name, ':') &&
	       param_format_is_valid("pve-iface", name);
}

static int take_head(struct net_config *config, const char *type, const char *name, struct err *err)
{
	struct net_iface iface = {0};

	if (!str_eq(type, "bridge") && !str_eq(type, "eth"))
		return err_set(err, ERR_CORRUPT, "unknown type '%.20s'", type);
	if (!is_kernel_name(name))
		return err_set(err, ERR_CORRUPT, "'%.40s' is not the name of an interface", name);
	if (net_config_find(config, name))
		return err_set(err, ERR_CORRUPT, "interface '%s' is there twice", name);
	if (config->count == NET_IFACES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d interfaces", NET_IFACES_MAX);
	str_copy(iface.type, sizeof(iface.type), type);
	str_copy(iface.name, sizeof(iface.name), name);
	config->items = xrealloc(config->items, config->count + 1, sizeof(*config->items));
	config->items[config->count++] = iface;
	return 0;
}

/* What each key must look like; those of the API that are kept. */
static const struct {
	const char *key, *format; /* NULL: any text */
} known[] = {
	{"autostart", NULL}, {"cidr", "CIDRv4"},   {"gateway", "ipv4"},
	{"cidr6", "CIDRv6"}, {"gateway6", "ipv6"}, {"mtu", NULL},
	{"comments", NULL},  {"comments6", NULL},  {"bridge_ports", "pve-iface-list"},
};

static bool is_key_valid(const char *key, const char *value)
{
	uint64_t number;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (!str_eq(known[i].key, key))
			continue;
		if (known[i].format)
			return param_format_is_valid(known[i].format, value);
		if (str_eq(key, "mtu"))
			return str_to_u64(value, &number) && number >= 1280 && number <= 65520;
		return !str_eq(key, "autostart") || str_eq(value, "0") || str_eq(value, "1");
	}
	return false;
}

static int take_key(struct net_iface *iface, const char *line, struct err *err)
{
	size_t length = strcspn(line, " ");
	autofree char *key = xstrndup(line, length);
	autobuf value = BUF_INIT;

	if (!url_decode(line + length + (line[length] == ' '),
			strlen(line + length + (line[length] == ' ')), false, &value) ||
	    !is_key_valid(key, buf_str(&value)))
		return err_set(err, ERR_CORRUPT, "%s: cannot read '%.60s'", iface->name, line);
	fields_set(&iface->keys, key, buf_str(&value));
	return 0;
}

static int take_line(struct net_config *config, const char *line, struct err *err)
{
	const char *colon = strstr(line, ": ");

	if (line[0] == '\0' || line[0] == '#')
		return 0;
	if (line[0] == '\t' && config->count > 0)
		return take_key(&config->items[config->count - 1], line + 1, err);
	if (!colon)
		return err_set(err, ERR_CORRUPT, "cannot read '%.60s'", line);
	autofree char *type = xstrndup(line, (size_t)(colon - line));
	return take_head(config, type, colon + 2, err);
}

int net_config_parse(const char *text, size_t size, struct net_config *ret, struct err *err)
{
	autofree char *copy = xstrndup(text, size);
	autonetconfig config = NET_CONFIG_INIT;
	int r = 0;

	if (size > NET_CONFIG_MAX)
		return err_set(err, ERR_LIMIT, "the network's configuration is too large");
	if (strlen(copy) != size)
		return err_set(err, ERR_CORRUPT, "not a text");
	autostrv char **lines = str_split(copy, "\n");
	for (char **line = lines; r == 0 && *line; line++)
		r = take_line(&config, *line, err);
	if (r < 0)
		return r;
	*ret = config;
	config = NET_CONFIG_INIT;
	return 0;
}
