/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections of snapshots: made, ended, gone back to. Pure; used by the core and by jobs. */
#include "agent/guest/snapshots.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/volumes.h"
#include "storage/volid/feature.h"

/* Of the guest, not of one of its states. */
static bool is_own_key(const char *key)
{
	static const char *const own[] = {"lock", "digest", "snaptime", "snapstate", "vmstate"};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (str_eq(own[i], key))
			return true;
	return guest_key_is_unused(key);
}

bool guest_section_is_snapshot(const struct guest_section *section)
{
	return section->name[0] != '\0' && !str_eq(section->name, "PENDING") &&
	       !strchr(section->name, ':');
}

int guest_snapshot_name_check(const char *name, struct err *err)
{
	if (name && strcasecmp(name, "pending") == 0)
		return err_field(err, "snapname", "'%s' cannot be a snapshot's name", name);
	return volume_snapshot_name_check(name, err);
}

static struct guest_section *find(const struct guest_config *config, const char *name)
{
	for (size_t i = 1; name && i < config->count; i++)
		if (guest_section_is_snapshot(&config->sections[i]) &&
		    str_eq(config->sections[i].name, name))
			return &config->sections[i];
	return NULL;
}

const struct guest_section *guest_snapshot_find(const struct guest_config *config, const char *name)
{
	return find(config, name);
}

const char *guest_snapshot_state(const struct guest_section *section)
{
	return fields_get(&section->keys, "snapstate");
}

int guest_snapshot_require(const struct guest_config *config, const char *name,
			   const struct guest_section **ret, struct err *err)
{
	const struct guest_section *section = find(config, name);

	if (!section || str_eq(guest_snapshot_state(section), SNAPSHOT_PREPARE))
		return err_set(err, ERR_NOT_FOUND, "snapshot '%s' does not exist", name);
	if (guest_snapshot_state(section))
		return err_set(err, ERR_BUSY, "snapshot '%s' is not whole any more: delete it",
			       name);
	*ret = section;
	return 0;
}

/* Is the volume of this value an image that the guest of now has? */
static bool is_open_image(const struct guest_kind_ops *ops, const struct guest_config *config,
			  const struct guest_volume *v)
{
	autofree struct guest_volume *now = NULL;
	size_t n = 0;

	if (v->is_unused || !str_eq(v->volume.format, "qcow2") ||
	    guest_volumes(ops, &config->sections[0], &now, &n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!now[i].is_unused && volid_same(&now[i].volume, &v->volume))
			return true;
	return false;
}

int guest_snapshot_check_open(const struct guest_kind_ops *ops, const struct guest_config *config,
			      const struct guest_section *section, const char *action,
			      struct err *err)
{
	autofree struct guest_volume *volumes = NULL;
	size_t n = 0;
	int r = ops->is_machine ? guest_volumes(ops, section, &volumes, &n, err) : 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (is_open_image(ops, config, &volumes[i]))
			r = err_set(err, ERR_UNSUPPORTED,
				    "feature not available: %s of a running %s: it lies in the "
				    "image of %s, which is open",
				    action, ops->noun, volumes[i].key);
	return r;
}

static size_t count(const struct guest_config *config)
{
	size_t n = 0;

	for (size_t i = 1; i < config->count; i++)
		n += guest_section_is_snapshot(&config->sections[i]);
	return n;
}

int guest_snapshot_begin(struct guest_config *config, const char *name, const char *description,
			 uint64_t now, struct err *err)
{
	int r = guest_snapshot_name_check(name, err);

	if (r < 0)
		return r;
	if (find(config, name))
		return err_set(err, ERR_EXISTS, "snapshot name '%s' already used", name);
	if (count(config) >= SNAPSHOTS_MAX)
		return err_set(err, ERR_LIMIT, "at most %d snapshots of a guest", SNAPSHOTS_MAX);
	struct guest_section *section = guest_config_section_add(config, name);
	const struct fields *keys = &config->sections[0].keys;

	for (size_t i = 0; i < keys->count; i++)
		if (!is_own_key(keys->items[i].name))
			fields_add(&section->keys, keys->items[i].name, keys->items[i].value);
	fields_addf(&section->keys, "snaptime", "%" PRIu64, now);
	fields_add(&section->keys, "snapstate", SNAPSHOT_PREPARE);
	guest_snapshot_describe(config, name, description);
	return 0;
}

void guest_snapshot_describe(struct guest_config *config, const char *name, const char *description)
{
	struct guest_section *section = find(config, name);

	if (!section)
		return;
	free(section->description);
	section->description =
		str_is_empty(description)
			? NULL
			: xasprintf("%s%s", description, str_ends(description, "\n") ? "" : "\n");
}

void guest_snapshot_commit(struct guest_config *config, const char *name)
{
	struct guest_section *section = find(config, name);

	if (!section)
		return;
	fields_remove(&section->keys, "snapstate");
	guest_config_set(config, "parent", name);
}

void guest_snapshot_mark_deleted(struct guest_config *config, const char *name)
{
	struct guest_section *section = find(config, name);

	if (section)
		fields_set(&section->keys, "snapstate", SNAPSHOT_DELETE);
}

void guest_snapshot_unmark(struct guest_config *config, const char *name)
{
	struct guest_section *section = find(config, name);

	if (section && str_eq(guest_snapshot_state(section), SNAPSHOT_DELETE))
		fields_remove(&section->keys, "snapstate");
}

void guest_snapshot_remove(struct guest_config *config, const char *name)
{
	struct guest_section *section = find(config, name);
	autofree char *parent = section ? xstrdup(fields_get(&section->keys, "parent")) : NULL;

	for (size_t i = 0; section && i < config->count; i++) {
		struct fields *keys = &config->sections[i].keys;

		if (!str_eq(fields_get(keys, "parent"), name))
			continue;
		fields_remove(keys, "parent");
		fields_add(keys, "parent", parent);
	}
	guest_config_section_remove(config, name);
}

int guest_snapshot_forget(const struct guest_kind_ops *ops, struct guest_config *config,
			  const char *name, struct err *err)
{
	const struct guest_section *section = find(config, name);
	autofree struct guest_volume *volumes = NULL;
	size_t n = 0;
	int r = section ? guest_volumes(ops, section, &volumes, &n, err) : 0;

	if (r < 0)
		return r;
	guest_snapshot_remove(config, name);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!guest_volume_is_named(ops, config, NULL, volumes[i].volid))
			r = guest_unused_add(config, volumes[i].volid, NULL, err);
	return r;
}

/* Keys of the guest itself, as they are now. */
static void keep_own(const struct guest_config *config, struct fields *ret)
{
	const struct fields *keys = &config->sections[0].keys;

	for (size_t i = 0; i < keys->count; i++)
		if (str_eq(keys->items[i].name, "lock") || guest_key_is_unused(keys->items[i].name))
			fields_add(ret, keys->items[i].name, keys->items[i].value);
}

/* What the main section and the waiting changes name: the latter took it from the unused ones. */
static int current_volumes(const struct guest_kind_ops *ops, const struct guest_config *config,
			   struct guest_volume **ret, size_t *ret_count, struct err *err)
{
	autofree struct guest_volume *all = NULL;
	size_t count = 0;

	for (size_t i = 0; i < config->count; i++) {
		autofree struct guest_volume *some = NULL;
		size_t n = 0;
		int r;

		if (i > 0 && !str_eq(config->sections[i].name, "PENDING"))
			continue;
		if ((r = guest_volumes(ops, &config->sections[i], &some, &n, err)) < 0)
			return r;
		for (size_t k = 0; i > 0 && k < n; k++)
			some[k].is_unused = false; /* its key is not the main section's */
		all = xrealloc(all, count + n + 1, sizeof(*all));
		if (n > 0)
			memcpy(all + count, some, n * sizeof(*all));
		count += n;
	}
	*ret = TAKE(all);
	*ret_count = count;
	return 0;
}

/* What was named before. */
static int keep_volumes(const struct guest_kind_ops *ops, const struct guest_volume *before,
			size_t n, struct guest_config *config, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		const struct field *unused = fields_find(&config->sections[0].keys, before[i].key);

		/* one that is used again is not unused any more */
		if (before[i].is_unused && unused) {
			guest_config_delete(config, before[i].key);
			if (!guest_volume_is_named(ops, config, "", before[i].volid))
				guest_config_set(config, before[i].key, before[i].volid);
		} else if (!guest_volume_is_named(ops, config, "", before[i].volid) &&
			   (r = guest_unused_add(config, before[i].volid, NULL, err)) < 0) {
			return r;
		}
	}
	return 0;
}

int guest_snapshot_restore(const struct guest_kind_ops *ops, struct guest_config *config,
			   const char *name, struct err *err)
{
	const struct guest_section *section = find(config, name);
	autofree struct guest_volume *before = NULL;
	struct fields keys = FIELDS_INIT;
	size_t n = 0;
	int r;

	if (!section)
		return err_set(err, ERR_NOT_FOUND, "snapshot '%s' does not exist", name);
	if ((r = current_volumes(ops, config, &before, &n, err)) < 0)
		return r;
	for (size_t i = 0; i < section->keys.count; i++) {
		const struct field *f = &section->keys.items[i];

		if (!is_own_key(f->name) && !str_eq(f->name, "parent"))
			fields_add(&keys, f->name, f->value);
	}
	keep_own(config, &keys);
	fields_add(&keys, "parent", name);
	fields_fini(&config->sections[0].keys);
	config->sections[0].keys = keys;
	guest_config_section_remove(config, "PENDING");
	return keep_volumes(ops, before, n, config, err);
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = 0, y = 0;

	str_to_u64(fields_get(&(*(struct guest_section *const *)a)->keys, "snaptime") ?: "0", &x);
	str_to_u64(fields_get(&(*(struct guest_section *const *)b)->keys, "snaptime") ?: "0", &y);
	return x < y ? -1 : x > y;
}

static void entry_write(const struct guest_section *section, struct json *j)
{
	const char *state = guest_snapshot_state(section);
	uint64_t time = 0;

	str_to_u64(fields_get(&section->keys, "snaptime") ?: "0", &time);
	json_object_begin(j);
	json_kv_string(j, "name", section->name);
	json_kv_string(j, "description", section->description ?: "");
	json_kv_int(j, "snaptime", (int64_t)time);
	if (fields_get(&section->keys, "parent"))
		json_kv_string(j, "parent", fields_get(&section->keys, "parent"));
	if (state)
		json_kv_string(j, "snapstate", state);
	json_object_end(j);
}

void guest_snapshots_write(const struct guest_config *config, bool is_running, struct json *j)
{
	autofree const struct guest_section **sorted = xcalloc(config->count + 1, sizeof(*sorted));
	const char *parent = guest_config_get(config, "parent");
	size_t n = 0;

	for (size_t i = 1; i < config->count; i++)
		if (guest_section_is_snapshot(&config->sections[i]))
			sorted[n++] = &config->sections[i];
	if (n > 0)
		qsort(sorted, n, sizeof(*sorted), by_time);
	json_array_begin(j);
	for (size_t i = 0; i < n; i++)
		entry_write(sorted[i], j);
	json_object_begin(j);
	json_kv_string(j, "name", "current");
	json_kv_string(j, "description", "You are here!");
	json_kv_string(j, "digest", config->digest);
	json_kv_int(j, "running", is_running);
	if (parent)
		json_kv_string(j, "parent", parent);
	json_object_end(j);
	json_array_end(j);
}

void guest_snapshot_config(const struct guest_config *config, const char *name,
			   struct guest_config *ret)
{
	const struct guest_section *section = find(config, name);

	guest_config_init(ret);
	memcpy(ret->digest, config->digest, sizeof(ret->digest));
	if (!section)
		return;
	fields_copy(&ret->sections[0].keys, &section->keys);
	ret->sections[0].description = xstrdup(section->description);
}
