/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers as a kind of guest: what the generic code needs to know of them. Pure but for random
 * MAC addresses. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct_check.h"
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

/* Paths in their plain form, booleans and sizes as they are stored. */
static int mp_complete(const char *key, const char *value, char **ret, struct err *err)
{
	autofields f = FIELDS_INIT;
	struct ct_mp mp;
	int r = ct_mp_parse(key, value, &mp, err);

	if (r < 0 || (r = propstr_parse(ct_mp_keys, "volume", key, value, &f, err)) < 0)
		return r;
	fields_set(&f, "mp", mp.path);
	*ret = propstr_format(ct_mp_keys, "volume", &f);
	return 0;
}

static int ct_change_complete(const struct guest_config *config, struct fields *set,
			      struct err *err)
{
	static const char *const nets[] = {"net[n]", NULL}, *const mps[] = {"mp[n]", NULL},
				 *const unused[] = {"unused[n]", NULL};
	int r = ct_quota_check(config, set, err);

	for (size_t i = 0; r == 0 && i < set->count; i++) {
		struct field *f = &set->items[i];
		autofree char *value = NULL;

		if (guest_key_is_in(nets, f->name))
			r = net_complete(config, f->name, f->value, &value, err);
		else if (str_eq(f->name, "rootfs"))
			r = rootfs_complete(config, f->value, &value, err);
		else if (guest_key_is_in(mps, f->name))
			r = mp_complete(f->name, f->value, &value, err);
		else if (guest_key_is_in(unused, f->name) &&
			 !str_eq(guest_config_get(config, f->name), f->value))
			r = err_field(err, f->name, "can only be deleted");
		if (r == 0 && value) {
			free(f->value);
			f->size = strlen(value);
			f->value = TAKE(value);
		}
	}
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
	r = ct_config_check(config, err);
	if (r < 0)
		return r;
	set_default(config, "arch", arch_of_host());
	set_default(config, "hostname", name);
	set_default(config, "memory", "512");
	set_default(config, "swap", "512");
	return 0;
}

static int ct_follow(struct guest_config *before, struct guest_config *after, struct err *err)
{
	return ct_volumes_keep(before, after, err);
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

static bool ct_net_read(const char *key, const char *value, struct guest_net *ret)
{
	struct ct_net net;
	unsigned index;

	if (!ct_key_index(key, "net", CT_NETS_MAX, &index) ||
	    ct_net_parse(key, value, &net, NULL) < 0)
		return false;
	*ret = (struct guest_net){.tag = net.tag};
	return str_copy(ret->bridge, sizeof(ret->bridge), net.bridge) &&
	       str_copy(ret->trunks, sizeof(ret->trunks), net.trunks);
}

static const char *const fixed_keys[] = {"arch", "template", "unprivileged", NULL};
static const char *const required_keys[] = {"arch", "hostname",	    "memory", "rootfs",
					    "swap", "unprivileged", NULL};
static const char *const volume_keys[] = {"rootfs", "mp[n]", NULL};
static const struct guest_key_privilege privileges[] = {
	{"cores", "VM.Config.CPU"},	   {"cpulimit", "VM.Config.CPU"},
	{"cpuunits", "VM.Config.CPU"},	   {"memory", "VM.Config.Memory"},
	{"swap", "VM.Config.Memory"},	   {"rootfs", "VM.Config.Disk"},
	{"mp[n]", "VM.Config.Disk"},	   {"unused[n]", "VM.Config.Disk"},
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
	.net_read = ct_net_read,
	.volume_keys = volume_keys,
	.content = VOLUME_ROOTDIR,
	.change_complete = ct_change_complete,
	.change_follow = ct_follow,
	.complete = ct_config_complete,
	.check = ct_config_check,
	.raw_set = ct_raw_set,
	.shape = ct_shape,
};
