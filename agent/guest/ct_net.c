/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's network interfaces, read from its configuration. Pure. */
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct_schema.h"

static bool flag(const struct fields *f, const char *name)
{
	bool value = false;

	str_to_bool(fields_get(f, name), &value);
	return value;
}

static unsigned number(const struct fields *f, const char *name)
{
	uint64_t value = 0;

	str_to_u64(fields_get(f, name), &value);
	return (unsigned)value;
}

/* Copies what fits; every text was checked against its description before. */
static int text(const struct fields *f, const char *key, const char *name, char *dst, size_t size,
		struct err *err)
{
	if (str_copy(dst, size, fields_get(f, name) ?: ""))
		return 0;
	return err_field(err, key, "%s is too long", name);
}

int ct_net_parse(const char *key, const char *value, struct ct_net *ret, struct err *err)
{
	autofields f = FIELDS_INIT;
	struct ct_net net = {0};
	int r = propstr_parse(ct_net_keys, NULL, key, value, &f, err);

	if (r < 0)
		return r;
	const struct {
		const char *name;
		char *dst;
		size_t size;
	} texts[] = {
		{"name", net.name, sizeof(net.name)},
		{"bridge", net.bridge, sizeof(net.bridge)},
		{"hwaddr", net.hwaddr, sizeof(net.hwaddr)},
		{"ip", net.ip, sizeof(net.ip)},
		{"gw", net.gw, sizeof(net.gw)},
		{"ip6", net.ip6, sizeof(net.ip6)},
		{"gw6", net.gw6, sizeof(net.gw6)},
		{"trunks", net.trunks, sizeof(net.trunks)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		r = text(&f, key, texts[i].name, texts[i].dst, texts[i].size, err);
		if (r < 0)
			return r;
	}
	net.mtu = number(&f, "mtu");
	net.tag = number(&f, "tag");
	net.link_down = flag(&f, "link_down");
	net.firewall = flag(&f, "firewall");
	net.host_managed = flag(&f, "host-managed");
	str_to_double(fields_get(&f, "rate") ?: "0", &net.rate);
	ct_key_index(key, "net", CT_NETS_MAX, &net.index);
	*ret = net;
	return 0;
}

static void nets_sort(struct ct_net *nets, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		for (size_t k = i; k > 0 && nets[k - 1].index > nets[k].index; k--) {
			struct ct_net other = nets[k];

			nets[k] = nets[k - 1];
			nets[k - 1] = other;
		}
	}
}

int ct_config_nets(const struct guest_config *config, struct ct_net **ret, size_t *ret_count,
		   struct err *err)
{
	const struct fields *keys = &config->sections[0].keys;
	autofree struct ct_net *nets = xcalloc(CT_NETS_MAX, sizeof(*nets));
	size_t count = 0;

	for (size_t i = 0; i < keys->count; i++) {
		unsigned index;

		if (!ct_key_index(keys->items[i].name, "net", CT_NETS_MAX, &index) ||
		    count == CT_NETS_MAX)
			continue;
		int r = ct_net_parse(keys->items[i].name, keys->items[i].value, &nets[count], err);

		if (r < 0)
			return r;
		count++;
	}
	nets_sort(nets, count);
	*ret = TAKE(nets);
	*ret_count = count;
	return 0;
}
