/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes that no drive of a virtual machine names any more stay in its configuration as unusedN, until they
 * are deleted there or become a drive again. Pure. */
#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm_schema.h"

#define PREFIX "unused"

bool vm_unused_key(const char *key, unsigned *ret_index)
{
	const char *digits = str_after(key, PREFIX);
	uint64_t index;

	if (!digits || !str_to_u64(digits, &index) || index >= VM_UNUSED_MAX ||
	    strlen(digits) != (index < 10    ? 1u
			       : index < 100 ? 2u
					     : 3u))
		return false;
	*ret_index = (unsigned)index;
	return true;
}

/* Is this key a drive, with a volume that exists? */
static bool has_volume(const char *key, const char *value, struct vm_drive *ret)
{
	enum vm_bus bus;
	unsigned index;

	return vm_drive_key(key, &bus, &index) && vm_drive_parse(key, value, ret, NULL) == 0 &&
	       !ret->is_new;
}

/* The volumes of disks that a section names, in its order; its unused ones are none of them. */
static void collect(const struct guest_section *section, struct fields *ret)
{
	for (size_t i = 0; section && i < section->keys.count; i++) {
		const struct field *f = &section->keys.items[i];
		struct vm_drive drive;

		if (has_volume(f->name, f->value, &drive) && !drive.is_cdrom &&
		    !volid_find(ret, drive.volid))
			fields_add(ret, drive.volid, "");
	}
}

static void collect_all(struct guest_config *config, struct fields *ret)
{
	collect(&config->sections[0], ret);
	collect(guest_config_section(config, "PENDING"), ret);
}

static const char *drive_of(const struct guest_section *section, const char *volid)
{
	for (size_t i = 0; section && i < section->keys.count; i++) {
		const struct field *f = &section->keys.items[i];
		struct vm_drive drive;

		if (has_volume(f->name, f->value, &drive) && volid_text_same(drive.volid, volid))
			return f->name;
	}
	return NULL;
}

char *vm_volume_drive(struct guest_config *config, const char *volid)
{
	const char *key = drive_of(&config->sections[0], volid)
				  ?: drive_of(guest_config_section(config, "PENDING"), volid);

	return key ? xstrdup(key) : NULL;
}

static bool is_kept(const struct guest_config *config, const char *volid)
{
	const struct fields *keys = &config->sections[0].keys;

	for (size_t i = 0; i < keys->count; i++) {
		unsigned index;

		if (vm_unused_key(keys->items[i].name, &index) &&
		    volid_text_same(keys->items[i].value, volid))
			return true;
	}
	return false;
}

bool vm_unused_add(struct guest_config *config, const char *volid, char ret_key[16])
{
	for (unsigned i = 0; i < VM_UNUSED_MAX; i++) {
		char key[16];

		snprintf(key, sizeof(key), PREFIX "%u", i);
		if (guest_config_get(config, key))
			continue;
		guest_config_set(config, key, volid);
		if (ret_key)
			memcpy(ret_key, key, sizeof(key));
		return true;
	}
	return false;
}

static void drop_used(struct guest_config *config, const struct fields *used)
{
	for (unsigned i = 0; i < VM_UNUSED_MAX; i++) {
		char key[16];

		snprintf(key, sizeof(key), PREFIX "%u", i);
		const char *volid = guest_config_get(config, key);

		if (volid && volid_find(used, volid))
			guest_config_delete(config, key);
	}
}

int vm_unused_follow(struct guest_config *before, struct guest_config *after, struct err *err)
{
	autofields had = FIELDS_INIT, has = FIELDS_INIT;

	collect_all(before, &had);
	collect_all(after, &has);
	drop_used(after, &has);
	for (size_t i = 0; i < had.count; i++) {
		const char *volid = had.items[i].name;

		if (!volid_find(&has, volid) && !is_kept(after, volid) &&
		    !vm_unused_add(after, volid, NULL))
			return err_set(err, ERR_LIMIT,
				       "no unused key is left for volume '%s' (at most %d): remove "
				       "unused volumes first",
				       volid, VM_UNUSED_MAX);
	}
	return 0;
}

bool vm_drives_hold(const struct guest_config *config, char *const *keys, const char *volid)
{
	for (size_t i = 0; keys[i]; i++) {
		const char *value = guest_config_get(config, keys[i]);
		struct vm_drive drive;

		if (value && has_volume(keys[i], value, &drive) &&
		    volid_text_same(drive.volid, volid))
			return true;
	}
	return false;
}
