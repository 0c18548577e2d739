/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtual machine's network cards, read from its configuration. Pure but for random addresses. */
#include <stdio.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm_schema.h"

/* "virtio=MAC", or "model=virtio,macaddr=MAC", or "virtio" alone: exactly one model. */
static int model_take(const char *key, const struct fields *f, struct vm_net *net, struct err *err)
{
	const char *model = fields_get(f, "model"), *mac = fields_get(f, "macaddr");

	for (size_t i = 0; vm_net_models[i]; i++) {
		const char *value = fields_get(f, vm_net_models[i]);

		if (!value)
			continue;
		if (model || mac)
			return err_field(err, key, "model and address are given twice");
		model = vm_net_models[i];
		mac = value;
	}
	if (!model)
		return err_field(err, key, "model: property is missing and it is not optional");
	str_copy(net->model, sizeof(net->model), model);
	str_copy(net->macaddr, sizeof(net->macaddr), mac ?: "");
	return 0;
}

static unsigned number(const struct fields *f, const char *name)
{
	uint64_t value = 0;

	str_to_u64(fields_get(f, name), &value);
	return (unsigned)value;
}

/* true for "net0" … "net31", written without leading zeros. */
static bool net_key(const char *key, unsigned *ret_index)
{
	const char *digits = str_after(key, "net");
	uint64_t index;

	if (!digits || !str_to_u64(digits, &index) || index >= VM_NETS_MAX ||
	    strlen(digits) != (index < 10 ? 1u : 2u))
		return false;
	*ret_index = (unsigned)index;
	return true;
}

int vm_net_parse(const char *key, const char *value, struct vm_net *ret, struct err *err)
{
	autofields f = FIELDS_INIT;
	struct vm_net net = {0};
	int r;

	if (!net_key(key, &net.index))
		return err_field(err, key, "not the name of a network card");
	if ((r = propstr_parse(vm_net_keys, "model", key, value, &f, err)) < 0 ||
	    (r = model_take(key, &f, &net, err)) < 0)
		return r;
	if (!str_copy(net.bridge, sizeof(net.bridge), fields_get(&f, "bridge") ?: ""))
		return err_field(err, key, "bridge is too long");
	net.mtu = number(&f, "mtu");
	net.queues = number(&f, "queues");
	str_to_bool(fields_get(&f, "link_down"), &net.link_down);
	if ((net.mtu || net.queues) && !str_eq(net.model, "virtio"))
		return err_field(err, key, "mtu and queues are for model virtio");
	*ret = net;
	return 0;
}

static char *mac_random(void)
{
	uint8_t tail[3];

	random_bytes(tail, sizeof(tail));
	return xasprintf("BC:24:11:%02X:%02X:%02X", tail[0], tail[1], tail[2]);
}

/* The address that this card has had until now, pending one first; heap or NULL. */
static char *mac_before(const struct guest_config *config, const char *key)
{
	for (size_t i = config->count; i-- > 0;) {
		const struct guest_section *section = &config->sections[i];
		const char *value = fields_get(&section->keys, key);
		struct vm_net net;

		if (!value || (i > 0 && !str_eq(section->name, "PENDING")))
			continue;
		if (vm_net_parse(key, value, &net, NULL) == 0 && net.macaddr[0])
			return xstrdup(net.macaddr);
	}
	return NULL;
}

int vm_net_complete(const struct guest_config *before, const char *key, const char *value,
		    char **ret, struct err *err)
{
	autofields f = FIELDS_INIT;
	struct vm_net net;
	int r = vm_net_parse(key, value, &net, err);

	if (r == 0)
		r = propstr_parse(vm_net_keys, "model", key, value, &f, err);
	if (r < 0)
		return r;
	autofree char *mac = net.macaddr[0] ? xstrdup(net.macaddr)
					    : mac_before(before, key) ?: mac_random();

	fields_remove(&f, "model");
	fields_remove(&f, "macaddr");
	fields_set(&f, net.model, mac);
	*ret = propstr_format(vm_net_keys, NULL, &f);
	return 0;
}

static void nets_sort(struct vm_net *nets, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		for (size_t k = i; k > 0 && nets[k - 1].index > nets[k].index; k--) {
			struct vm_net other = nets[k];

			nets[k] = nets[k - 1];
			nets[k - 1] = other;
		}
	}
}

int vm_config_nets(const struct guest_config *config, struct vm_net **ret, size_t *ret_count,
		   struct err *err)
{
	const struct fields *keys = &config->sections[0].keys;
	autofree struct vm_net *nets = xcalloc(VM_NETS_MAX, sizeof(*nets));
	size_t count = 0;

	for (size_t i = 0; i < keys->count && count < VM_NETS_MAX; i++) {
		unsigned index;

		if (!net_key(keys->items[i].name, &index))
			continue;
		int r = vm_net_parse(keys->items[i].name, keys->items[i].value, &nets[count], err);

		if (r < 0)
			return r;
		count++;
	}
	nets_sort(nets, count);
	*ret = TAKE(nets);
	*ret_count = count;
	return 0;
}
