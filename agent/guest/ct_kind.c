/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers as a kind of guest: what the generic code needs to know of them. Pure but for random
 * MAC addresses. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct_schema.h"
#include "agent/guest/guest.h"

#define MIB ((uint64_t)1 << 20)

#define DEFAULT_MEMORY 512
#define DEFAULT_SWAP   512

static char *mac_random(void)
{
	uint8_t tail[3];

	random_bytes(tail, sizeof(tail));
	return xasprintf("BC:24:11:%02X:%02X:%02X", tail[0], tail[1], tail[2]);
}

/* The address that this interface has had until now, pending one first; heap or NULL. */
static char *mac_before(const struct guest_config *config, const char *key)
{
	for (size_t i = config->count; i-- > 0;) {
		const struct guest_section *section = &config->sections[i];
		const char *value = fields_get(&section->keys, key);
		autofields f = FIELDS_INIT;

		if (!value || (i > 0 && !str_eq(section->name, "PENDING")))
			continue;
		if (propstr_parse(ct_net_keys, NULL, key, value, &f, NULL) == 0 &&
		    fields_get(&f, "hwaddr"))
			return xstrdup(fields_get(&f, "hwaddr"));
	}
	return NULL;
}

/* The value with an address in it; heap. */
static int net_complete(const struct guest_config *config, const char *key, const char *value,
			char **ret, struct err *err)
{
	autofields f = FIELDS_INIT;
	int r = propstr_parse(ct_net_keys, NULL, key, value, &f, err);

	if (r < 0)
		return r;
	if (!fields_get(&f, "hwaddr")) {
		autofree char *mac = mac_before(config, key) ?: mac_random();

		fields_add(&f, "hwaddr", mac);
	}
	*ret = propstr_format(ct_net_keys, NULL, &f);
	return 0;
}

/* The root volume stays what it is; whether it is read-only may change. */
static int rootfs_complete(const struct guest_config *config, const char *value, char **ret,
			   struct err *err)
{
	struct guest_config asked __attribute__((cleanup(guest_config_fini)));
	struct ct_rootfs now = {0}, wanted = {0};
	autobuf out = BUF_INIT;

	guest_config_init(&asked);
	guest_config_set(&asked, "rootfs", value);
	int r = ct_config_rootfs(&asked, &wanted, err);

	if (r < 0)
		return r;
	if (ct_config_rootfs(config, &now, NULL) < 0 || !str_eq(now.volume, wanted.volume) ||
	    (wanted.size && wanted.size != now.size)) {
		return err_set(err, ERR_UNSUPPORTED,
			       "rootfs: the volume and its size cannot be changed here");
	}
	wanted.size = now.size;
	ct_rootfs_format(&wanted, &out);
	*ret = buf_steal(&out);
	return 0;
}

static int ct_change_complete(const struct guest_config *config, struct fields *set,
			      struct err *err)
{
	static const char *const nets[] = {"net[n]", NULL};

	for (size_t i = 0; i < set->count; i++) {
		struct field *f = &set->items[i];
		autofree char *value = NULL;
		int r = 0;

		if (guest_key_is_in(nets, f->name))
			r = net_complete(config, f->name, f->value, &value, err);
		else if (str_eq(f->name, "rootfs"))
			r = rootfs_complete(config, f->value, &value, err);
		if (r < 0)
			return r;
		if (value) {
			free(f->value);
			f->size = strlen(value);
			f->value = TAKE(value);
		}
	}
	return 0;
}

static int net_check(const struct ct_net *nets, size_t i, struct err *err)
{
	const struct ct_net *net = &nets[i];
	char key[16];

	snprintf(key, sizeof(key), "net%u", net->index);
	if (net->bridge[0] == '\0')
		return err_field(err, key, "bridge: property is missing and it is not optional");
	if (str_eq(net->name, "lo") || str_eq(net->name, ".") || str_eq(net->name, ".."))
		return err_field(err, key, "name: '%s' cannot be used", net->name);
	for (size_t k = 0; k < i; k++) {
		if (str_eq(nets[k].name, net->name))
			return err_field(err, key, "name: net%u is called '%s' already",
					 nets[k].index, net->name);
		if (net->hwaddr[0] && strcasecmp(nets[k].hwaddr, net->hwaddr) == 0)
			return err_field(err, key, "hwaddr: net%u has '%s' already", nets[k].index,
					 net->hwaddr);
	}
	return 0;
}

static int ct_check(const struct guest_config *config, struct err *err)
{
	autofree struct ct_net *nets = NULL;
	size_t count = 0;
	int r = ct_config_nets(config, &nets, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = net_check(nets, i, err);
	return r;
}

static const char *arch_of_host(void)
{
	static const struct {
		const char *machine, *arch;
	} names[] = {{"x86_64", "amd64"}, {"i686", "i386"},	  {"aarch64", "arm64"},
		     {"armv7l", "armhf"}, {"riscv64", "riscv64"}, {"riscv32", "riscv32"}};
	struct utsname host;

	for (size_t i = 0; uname(&host) == 0 && i < ARRAY_SIZE(names); i++) {
		if (str_eq(names[i].machine, host.machine))
			return names[i].arch;
	}
	return "amd64";
}

static void set_default(struct guest_config *config, const char *key, const char *value)
{
	if (!guest_config_get(config, key))
		guest_config_set(config, key, value);
}

int ct_config_complete(struct guest_config *config, unsigned vmid, struct err *err)
{
	autofields added = FIELDS_INIT;
	autofree char *name = xasprintf("CT%u", vmid);
	static const char *const nets[] = {"net[n]", NULL};

	for (size_t i = 0; i < config->sections[0].keys.count; i++) {
		const struct field *f = &config->sections[0].keys.items[i];

		if (guest_key_is_in(nets, f->name))
			fields_add(&added, f->name, f->value);
	}
	int r = ct_change_complete(config, &added, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < added.count; i++)
		guest_config_set(config, added.items[i].name, added.items[i].value);
	r = ct_check(config, err);
	if (r < 0)
		return r;
	set_default(config, "arch", arch_of_host());
	set_default(config, "hostname", name);
	set_default(config, "memory", "512");
	set_default(config, "swap", "512");
	return 0;
}

static uint64_t number(const struct guest_config *config, const char *key, uint64_t fallback)
{
	const char *text = guest_config_get(config, key);
	uint64_t value = fallback;

	if (text)
		str_to_u64(text, &value);
	return value;
}

static void ct_shape(const struct guest_config *config, struct guest_shape *ret)
{
	struct ct_rootfs rootfs = {0};

	ct_config_rootfs(config, &rootfs, NULL);
	*ret = (struct guest_shape){
		.cores = (unsigned)number(config, "cores", 0),
		.memory = number(config, "memory", DEFAULT_MEMORY) * MIB,
		.swap = number(config, "swap", DEFAULT_SWAP) * MIB,
		.disk = rootfs.size,
	};
}

static const char *const fixed_keys[] = {"arch", "unprivileged", NULL};
static const char *const required_keys[] = {"arch", "hostname",	    "memory", "rootfs",
					    "swap", "unprivileged", NULL};
static const struct guest_key_privilege privileges[] = {
	{"cores", "VM.Config.CPU"},	   {"cpulimit", "VM.Config.CPU"},
	{"cpuunits", "VM.Config.CPU"},	   {"memory", "VM.Config.Memory"},
	{"swap", "VM.Config.Memory"},	   {"rootfs", "VM.Config.Disk"},
	{"hostname", "VM.Config.Network"}, {"nameserver", "VM.Config.Network"},
	{"net[n]", "VM.Config.Network"},   {"searchdomain", "VM.Config.Network"},
	{NULL, "VM.Config.Options"},
};

const struct guest_kind_ops guest_kind_ct = {
	.name = "lxc",
	.label = "CT",
	.noun = "container",
	.task_prefix = "vz",
	.name_key = "hostname",
	.has_swap = true,
	.params = ct_config_params,
	.live_keys = ct_live_keys,
	.fixed_keys = fixed_keys,
	.required_keys = required_keys,
	.privileges = privileges,
	.change_complete = ct_change_complete,
	.check = ct_check,
	.shape = ct_shape,
};
