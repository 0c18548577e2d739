/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads volumes out of configurations of every kind by the kind's list of keys. Pure. */
#include "agent/guest/volumes.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct_schema.h"
#include "agent/guest/snapshots.h"

static const char *const unused_keys[] = {"unused[n]", NULL};

bool guest_key_is_volume(const struct guest_kind_ops *ops, const char *key)
{
	return guest_key_is_in(ops->volume_keys, key);
}

bool guest_key_is_unused(const char *key)
{
	return guest_key_is_in(unused_keys, key);
}

/* "local:101/x.raw" of "local:101/x.raw", "volume=local:…" or "file=local:…"; NULL: another part. */
static const char *volume_part(const char *part)
{
	if (!strchr(part, '='))
		return part;
	return str_after(part, "volume=") ?: str_after(part, "file=");
}

static bool names_nothing(const char *volid)
{
	return !volid || volid[0] == '/' || str_eq(volid, "none") || str_eq(volid, "cdrom");
}

int guest_volume_read(const struct guest_kind_ops *ops, const char *key, const char *value,
		      struct guest_volume *ret, struct err *err)
{
	autostrv char **parts = str_split(value, ",");
	struct guest_volume v = {.is_unused = guest_key_is_unused(key)};
	const char *volid = NULL;
	int r;

	if (strv_has(parts, "media=cdrom"))
		return 0;
	for (char **part = parts; *part; part++) {
		const char *size = str_after(*part, "size=");

		volid = volid ?: volume_part(*part);
		if (size)
			str_to_bytes(size, 1, &v.size);
	}
	v.is_read_only = strv_has(parts, "ro=1");
	if (names_nothing(volid))
		return 0;
	if ((r = volid_parse(volid, &v.volume, err)) < 0)
		return err_prefix(err, "%s", key);
	v.volume.content = ops->content;
	if (!str_copy(v.key, sizeof(v.key), key) || !str_copy(v.volid, sizeof(v.volid), volid))
		return err_field(err, key, "is too long");
	*ret = v;
	return 1;
}

int guest_volumes(const struct guest_kind_ops *ops, const struct guest_section *section,
		  struct guest_volume **ret, size_t *ret_count, struct err *err)
{
	autofree struct guest_volume *volumes = xcalloc(section->keys.count + 1, sizeof(*volumes));
	size_t count = 0;

	for (size_t i = 0; i < section->keys.count; i++) {
		const struct field *f = &section->keys.items[i];
		int r;

		if (!guest_key_is_volume(ops, f->name) && !guest_key_is_unused(f->name))
			continue;
		if ((r = guest_volume_read(ops, f->name, f->value, &volumes[count], err)) < 0)
			return r;
		count += (size_t)r;
	}
	*ret = TAKE(volumes);
	*ret_count = count;
	return 0;
}

char *guest_volume_value(const char *value, const char *volid, uint64_t size)
{
	autostrv char **parts = str_split(value, ",");
	autobuf out = BUF_INIT, text = BUF_INIT;
	bool has_volume = false;

	ct_size_format(size, &text);
	for (char **part = parts; *part; part++) {
		bool is_volume = !has_volume && volume_part(*part);

		if ((size && str_starts(*part, "size=")) || (volid && str_starts(*part, "format=")))
			continue;
		has_volume |= is_volume;
		buf_addf(&out, "%s%s", out.size ? "," : "", is_volume && volid ? volid : *part);
	}
	buf_add_str(&out, buf_str(&text));
	return xstrdup(buf_str(&out));
}

static bool section_names(const struct guest_kind_ops *ops, const struct guest_section *section,
			  const char *volid, bool with_unused)
{
	for (size_t i = 0; i < section->keys.count; i++) {
		const struct field *f = &section->keys.items[i];
		struct guest_volume v;

		if ((guest_key_is_volume(ops, f->name) ||
		     (with_unused && guest_key_is_unused(f->name))) &&
		    guest_volume_read(ops, f->name, f->value, &v, NULL) == 1 &&
		    volid_text_same(v.volid, volid))
			return true;
	}
	return false;
}

bool guest_volume_is_named(const struct guest_kind_ops *ops, const struct guest_config *config,
			   const char *section, const char *volid)
{
	for (size_t i = 0; i < config->count; i++) {
		if (section && !str_eq(config->sections[i].name, section))
			continue;
		if (section_names(ops, &config->sections[i], volid, true))
			return true;
	}
	return false;
}

bool guest_volume_is_used(const struct guest_kind_ops *ops, const struct guest_config *config,
			  const char *volid)
{
	for (size_t i = 0; i < config->count; i++)
		if (section_names(ops, &config->sections[i], volid, false))
			return true;
	return false;
}

char *guest_volume_other_name(const struct guest_kind_ops *ops, const struct guest_config *config,
			      const char *volid)
{
	autofields names = FIELDS_INIT;
	const struct field *known;

	guest_volume_names(ops, config, &names);
	if (fields_find(&names, volid))
		return NULL;
	known = volid_find(&names, volid);
	return known ? xstrdup(known->name) : NULL;
}

const char *guest_volume_snapshot(const struct guest_kind_ops *ops,
				  const struct guest_config *config, const char *volid)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct guest_section *section = &config->sections[i];

		if (guest_section_is_snapshot(section) && section_names(ops, section, volid, true))
			return section->name;
	}
	return NULL;
}

int guest_volumes_check_start(const struct guest_kind_ops *ops, const struct guest_config *config,
			      struct err *err)
{
	autofree struct guest_volume *volumes = NULL;
	size_t count = 0;
	int r = guest_volumes(ops, &config->sections[0], &volumes, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct guest_volume *v = &volumes[i];

		if (!v->is_unused && !v->is_read_only && volume_is_base(&v->volume))
			r = err_set(err, ERR_BUSY,
				    "%s: volume '%s' is a template's and does not change", v->key,
				    v->volid);
	}
	return r;
}

int guest_unused_add(struct guest_config *config, const char *volid, char ret_key[16],
		     struct err *err)
{
	for (unsigned i = 0; i < GUEST_UNUSED_MAX; i++) {
		char key[16];

		snprintf(key, sizeof(key), "unused%u", i);
		if (guest_config_get(config, key))
			continue;
		guest_config_set(config, key, volid);
		if (ret_key)
			memcpy(ret_key, key, sizeof(key));
		return 0;
	}
	return err_set(err, ERR_LIMIT,
		       "no unused key is left for volume '%s' (at most %d): remove unused volumes "
		       "first",
		       volid, GUEST_UNUSED_MAX);
}

void guest_volume_names(const struct guest_kind_ops *ops, const struct guest_config *config,
			struct fields *ret)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct fields *keys = &config->sections[i].keys;

		for (size_t k = 0; k < keys->count; k++) {
			const struct field *f = &keys->items[k];
			struct guest_volume v;

			if ((guest_key_is_volume(ops, f->name) || guest_key_is_unused(f->name)) &&
			    guest_volume_read(ops, f->name, f->value, &v, NULL) == 1)
				fields_add(ret, v.volid, "");
		}
	}
}
