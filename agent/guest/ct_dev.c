/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of the node that a container gets, and its features. Pure. */
#include <stdlib.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct_schema.h"

#define DEFAULT_MODE 0660

static bool flag(const struct fields *f, const char *name)
{
	bool value = false;

	str_to_bool(fields_get(f, name) ?: "0", &value);
	return value;
}

static uint32_t number(const struct fields *f, const char *name)
{
	uint64_t value = 0;

	str_to_u64(fields_get(f, name) ?: "0", &value);
	return (uint32_t)value;
}

int ct_dev_parse(const char *key, const char *value, struct ct_dev *ret, struct err *err)
{
	autofields f = FIELDS_INIT;
	struct ct_dev dev = {.mode = DEFAULT_MODE};
	int r = propstr_parse(ct_dev_keys, "path", key, value, &f, err);

	if (r < 0)
		return r;
	if (!ct_key_index(key, "dev", CT_DEVS_MAX, &dev.index))
		return err_field(err, key, "is no device");
	if (!str_copy(dev.path, sizeof(dev.path), fields_get(&f, "path")))
		return err_field(err, key, "path is too long");
	dev.uid = number(&f, "uid");
	dev.gid = number(&f, "gid");
	dev.read_only = flag(&f, "deny-write");
	if (fields_get(&f, "mode"))
		dev.mode = (mode_t)strtoul(fields_get(&f, "mode"), NULL, 8);
	*ret = dev;
	return 0;
}

int ct_config_devs(const struct guest_config *config, struct ct_dev **ret, size_t *ret_count,
		   struct err *err)
{
	const struct fields *keys = &config->sections[0].keys;
	autofree struct ct_dev *devs = xcalloc(keys->count + 1, sizeof(*devs));
	size_t count = 0;
	unsigned index;

	for (size_t i = 0; i < keys->count; i++) {
		const struct field *f = &keys->items[i];
		int r;

		if (!ct_key_index(f->name, "dev", CT_DEVS_MAX, &index))
			continue;
		if ((r = ct_dev_parse(f->name, f->value, &devs[count], err)) < 0)
			return r;
		count++;
	}
	*ret = TAKE(devs);
	*ret_count = count;
	return 0;
}

int ct_config_features(const struct guest_config *config, struct ct_features *ret, struct err *err)
{
	const char *text = guest_config_get(config, "features");
	autofields f = FIELDS_INIT;
	struct ct_features features = {0};
	int r = text ? propstr_parse(ct_features_keys, NULL, "features", text, &f, err) : 0;

	if (r < 0)
		return r;
	features.nesting = flag(&f, "nesting");
	features.keyctl = flag(&f, "keyctl");
	features.fuse = flag(&f, "fuse");
	features.mknod = flag(&f, "mknod");
	features.force_rw_sys = flag(&f, "force_rw_sys");
	if (!str_copy(features.mount, sizeof(features.mount), fields_get(&f, "mount") ?: ""))
		return err_field(err, "features", "mount: too long");
	*ret = features;
	return 0;
}
