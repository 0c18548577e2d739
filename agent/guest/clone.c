/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a copy's configuration from its source's. Pure but for random addresses and ids. */
#include "agent/guest/clone.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/param.h"
#include "agent/base/str.h"
#include "agent/guest/snapshots.h"
#include "agent/guest/volumes.h"

#define NAME_PREFIX "Copy-of-"
#define LABEL_MAX   63 /* of a host name */

static bool is_left_behind(const char *key)
{
	static const char *const keys[] = {"lock",     "parent",    "template", "digest",
					   "snaptime", "snapstate", "vmstate",	"vmgenid"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (str_eq(keys[i], key))
			return true;
	return guest_key_is_unused(key);
}

/* A part of net0 or smbios1 without what must be unique: "hwaddr=…" and "uuid=…" go, "virtio=BC:…" becomes
 * "model=virtio". */
static void add_part(const char *part, struct buf *out)
{
	static const char *const unique[] = {"hwaddr=", "macaddr=", "uuid="};
	const char *value = strchr(part, '=');

	for (size_t i = 0; i < ARRAY_SIZE(unique); i++)
		if (str_starts(part, unique[i]))
			return;
	buf_add_str(out, out->size ? "," : "");
	if (value && param_format_is_valid("mac-addr", value + 1))
		buf_addf(out, "model=%.*s", (int)(value - part), part);
	else
		buf_add_str(out, part);
}

static void add_unique(const char *key, const char *value, struct guest_config *ret)
{
	autostrv char **parts = str_split(value, ",");
	autobuf out = BUF_INIT;

	for (char **part = parts; *part; part++)
		add_part(*part, &out);
	if (out.size)
		guest_config_set(ret, key, buf_str(&out));
}

static void add_key(const struct field *f, struct guest_config *ret)
{
	static const char *const unique[] = {"net[n]", "smbios1", NULL};

	if (is_left_behind(f->name))
		return;
	if (guest_key_is_in(unique, f->name))
		add_unique(f->name, f->value, ret);
	else
		fields_add(&ret->sections[0].keys, f->name, f->value); /* raw settings repeat */
}

static void set_name(const struct guest_kind_ops *ops, const struct guest_clone *clone,
		     struct guest_config *ret)
{
	const char *name = guest_config_get(ret, ops->name_key);
	autofree char *copy = xasprintf(NAME_PREFIX "%s", name ?: ops->label);

	if (strlen(copy) > LABEL_MAX) {
		copy[LABEL_MAX] = '\0';
		for (size_t n = LABEL_MAX; n > 0 && strchr(".-", copy[n - 1]); n--)
			copy[n - 1] = '\0';
	}
	guest_config_set(ret, ops->name_key, clone->name ?: copy);
}

static int drop_volumes(const struct guest_kind_ops *ops, struct guest_config *ret, struct err *err)
{
	struct fields *keys = &ret->sections[0].keys;

	for (size_t i = keys->count; i-- > 0;) {
		const struct field *f = &keys->items[i];
		struct guest_volume v;
		int r;

		if (!guest_key_is_volume(ops, f->name))
			continue;
		if (f->value[0] == '/' || str_starts(f->value, "volume=/"))
			return err_set(
				err, ERR_UNSUPPORTED,
				"feature not available: clone of '%s': it is a folder of the "
				"node",
				f->name);
		if ((r = guest_volume_read(ops, f->name, f->value, &v, err)) < 0)
			return r;
		if (r == 1)
			fields_remove(keys, v.key);
	}
	return 0;
}

int guest_clone_config(const struct guest_kind_ops *ops, const struct guest_config *source,
		       const struct guest_clone *clone, struct guest_config *ret, struct err *err)
{
	const struct guest_section *from = &source->sections[0];
	struct guest_config config;
	int r = clone->snapshot ? guest_snapshot_require(source, clone->snapshot, &from, err) : 0;

	if (r < 0)
		return r;
	guest_config_init(&config);
	for (size_t i = 0; i < from->keys.count; i++)
		add_key(&from->keys.items[i], &config);
	guest_config_set(&config, "description",
			 clone->description ?: source->sections[0].description);
	set_name(ops, clone, &config);
	/* with the source's volumes: whether the rest fits together is seen with them */
	r = ops->complete(&config, clone->vmid, err);
	if (r == 0)
		r = drop_volumes(ops, &config, err);
	if (r < 0) {
		guest_config_fini(&config);
		return r;
	}
	*ret = config;
	return 0;
}
