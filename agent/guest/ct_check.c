/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Do a container's keys fit together? Pure. */
#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct_check.h"
#include "agent/guest/guest.h"
#include "agent/guest/pending.h"

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

static int nets_check(const struct guest_config *config, struct err *err)
{
	autofree struct ct_net *nets = NULL;
	size_t count = 0;
	int r = ct_config_nets(config, &nets, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = net_check(nets, i, err);
	return r;
}

static int mp_check(const struct guest_config *config, const struct ct_mp *mps, size_t i,
		    struct err *err)
{
	const struct ct_mp *mp = &mps[i];
	struct ct_rootfs rootfs = {0};
	char key[16];

	snprintf(key, sizeof(key), "mp%u", mp->index);
	if (mp->is_new)
		return err_field(err, key, "volume: '%s' is no volume", mp->volume);
	ct_config_rootfs(config, &rootfs, NULL);
	if (volid_text_same(rootfs.volume, mp->volume))
		return err_field(err, key, "volume: '%s' is the root already", mp->volume);
	for (size_t k = 0; k < i; k++) {
		if (str_eq(mps[k].path, mp->path))
			return err_field(err, key, "mp: mp%u is mounted on '%s' already",
					 mps[k].index, mp->path);
		if (!mp->is_folder && volid_text_same(mps[k].volume, mp->volume))
			return err_field(err, key, "volume: mp%u has '%s' already", mps[k].index,
					 mp->volume);
	}
	return 0;
}

static int mps_check(const struct guest_config *config, struct err *err)
{
	autofree struct ct_mp *mps = NULL;
	size_t count = 0;
	int r = ct_config_mps(config, &mps, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = mp_check(config, mps, i, err);
	return r;
}

static bool has_quota(const char *key, const char *value)
{
	struct guest_config one __attribute__((cleanup(guest_config_fini))) = {0};
	struct ct_rootfs rootfs = {0};
	struct ct_mp mp = {0};

	if (!value)
		return false;
	if (!str_eq(key, "rootfs"))
		return ct_mp_parse(key, value, &mp, NULL) == 0 && mp.quota;
	guest_config_init(&one);
	guest_config_set(&one, key, value);
	return ct_config_rootfs(&one, &rootfs, NULL) == 0 && rootfs.quota;
}

/* Kernels grant quotactl() to no user namespace, and what sets quotas inside wants the device below the file system.
 * Configurations of other makes have it all the same. */
int ct_quota_check(const struct guest_config *before, const struct fields *set, struct err *err)
{
	static const char *const volumes[] = {"rootfs", "mp[n]", NULL};

	for (size_t i = 0; i < set->count; i++) {
		const struct field *f = &set->items[i];
		bool is_deleted;

		if (!guest_key_is_in(volumes, f->name) || !has_quota(f->name, f->value) ||
		    (before &&
		     (has_quota(f->name, guest_config_get(before, f->name)) ||
		      has_quota(f->name, config_pending_get(before, f->name, &is_deleted)))))
			continue;
		return err_field(err, f->name, "quota: there are no user quotas inside containers");
	}
	return 0;
}

static int devs_check(const struct guest_config *config, struct err *err)
{
	autofree struct ct_dev *devs = NULL;
	size_t count = 0;
	int r = ct_config_devs(config, &devs, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		for (size_t k = 0; k < i; k++) {
			char key[16];

			snprintf(key, sizeof(key), "dev%u", devs[i].index);
			if (str_eq(devs[k].path, devs[i].path))
				return err_field(err, key, "path: dev%u is '%s' already",
						 devs[k].index, devs[i].path);
		}
	}
	return r;
}

/* What the kernel grants to no user namespace is refused there, and not left to fail inside. */
static int features_check(const struct guest_config *config, struct err *err)
{
	bool is_unprivileged = ct_config_flag(config, "unprivileged");
	struct ct_features features;
	int r = ct_config_features(config, &features, err);

	if (r < 0 || !is_unprivileged)
		return r;
	if (features.mknod)
		return err_field(err, "features",
				 "mknod: an unprivileged container cannot make device nodes; give "
				 "it devices by dev[n]");
	if (features.mount[0])
		return err_field(err, "features",
				 "mount: an unprivileged container cannot mount '%s'",
				 features.mount);
	return 0;
}

static int raw_check(const struct guest_config *config, struct err *err)
{
	const struct fields *keys = &config->sections[0].keys;
	int r = 0;

	for (size_t i = 0; r == 0 && i < keys->count; i++) {
		const struct field *f = &keys->items[i];

		if (!str_starts(f->name, "lxc.") || ct_raw_is_dropped(f->name))
			continue;
		r = ct_raw_check(f->name, f->value, err);
		if (r == 0 && str_eq(f->name, "lxc.idmap") &&
		    !ct_config_flag(config, "unprivileged"))
			r = err_field(err, "lxc", "lxc.idmap is for unprivileged containers");
	}
	return r;
}

int ct_config_check(const struct guest_config *config, struct err *err)
{
	static int (*const checks[])(const struct guest_config *config, struct err *err) = {
		nets_check, mps_check, devs_check, features_check, raw_check};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(checks); i++)
		r = checks[i](config, err);
	return r;
}

/* Volumes of mount points that a section names, running or waiting. */
static int keep_of(const struct guest_section *section, struct guest_config *after, struct err *err)
{
	for (size_t i = 0; i < section->keys.count; i++) {
		const struct field *f = &section->keys.items[i];
		struct ct_mp mp;

		if (!str_starts(f->name, "mp") || ct_mp_parse(f->name, f->value, &mp, NULL) < 0 ||
		    mp.is_folder || mp.is_new || ct_volume_is_named(after, mp.volume))
			continue;
		if (!ct_unused_add(after, mp.volume))
			return err_field(err, f->name, "there are too many unused volumes");
	}
	return 0;
}

/* A volume that became a mount point is unused no more. */
static void drop_used(struct guest_config *config)
{
	for (unsigned i = 0; i < CT_UNUSED_MAX; i++) {
		autofree char *key = xasprintf("unused%u", i);
		autofree char *volid = xstrdup(guest_config_get(config, key));

		if (volid && ct_volume_is_mounted(config, volid))
			guest_config_delete(config, key);
	}
}

int ct_volumes_keep(const struct guest_config *before, struct guest_config *after, struct err *err)
{
	int r = 0;

	drop_used(after);
	for (size_t i = 0; r == 0 && i < before->count; i++)
		if (i == 0 || str_eq(before->sections[i].name, "PENDING"))
			r = keep_of(&before->sections[i], after, err);
	return r;
}
