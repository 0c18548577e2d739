/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes that no key of a container uses any more stay in its configuration as unusedN, until they are
 * deleted there or mounted again. Pure. */
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct_schema.h"
#include "storage/volid/volid.h"

/* The volume that a key names, heap; NULL when it names none. */
static char *volume_of(const struct field *f, bool with_unused)
{
	autofields parts = FIELDS_INIT;
	const struct param *keys = NULL;
	const char *volume;
	unsigned index;

	if (str_eq(f->name, "rootfs"))
		keys = ct_rootfs_keys;
	else if (ct_key_index(f->name, "mp", CT_MPS_MAX, &index))
		keys = ct_mp_keys;
	else if (with_unused && ct_key_index(f->name, "unused", CT_UNUSED_MAX, &index))
		keys = ct_unused_keys;
	if (!keys || propstr_parse(keys, "volume", f->name, f->value, &parts, NULL) < 0)
		return NULL;
	volume = fields_get(&parts, "volume");
	return volume ? xstrdup(volume) : NULL;
}

static bool is_named(const struct guest_config *config, const char *volid, bool with_unused)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct fields *keys = &config->sections[i].keys;

		for (size_t k = 0; k < keys->count; k++) {
			autofree char *volume = volume_of(&keys->items[k], with_unused);

			if (volume && volid_text_same(volume, volid))
				return true;
		}
	}
	return false;
}

bool ct_volume_is_named(const struct guest_config *config, const char *volid)
{
	return is_named(config, volid, true);
}

bool ct_volume_is_mounted(const struct guest_config *config, const char *volid)
{
	return is_named(config, volid, false);
}

const char *ct_unused_add(struct guest_config *config, const char *volid)
{
	if (ct_volume_is_named(config, volid))
		return NULL;
	for (unsigned i = 0; i < CT_UNUSED_MAX; i++) {
		autofree char *key = xasprintf("unused%u", i);

		if (guest_config_get(config, key))
			continue;
		guest_config_set(config, key, volid);
		return fields_find(&config->sections[0].keys, key)->name;
	}
	return NULL;
}
