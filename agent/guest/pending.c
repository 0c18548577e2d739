/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to a guest's configuration and what is kept in [PENDING] for the next start. Pure; used
 * by the core (changes) and by start jobs (merge). Knows nothing of what values mean. */
#include "agent/guest/pending.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/guest.h"

#define PENDING	    "PENDING"
#define DELETE_LIST "delete"

static void list_remove_name(struct fields *keys, const char *name)
{
	autostrv char **names = str_split(fields_get(keys, DELETE_LIST) ?: "", ",; ");
	autobuf rest = BUF_INIT;

	if (!strv_has(names, name))
		return;
	for (size_t i = 0; names[i]; i++) {
		if (!str_eq(names[i], name))
			buf_addf(&rest, "%s%s", rest.size > 0 ? "," : "", names[i]);
	}
	if (rest.size > 0)
		fields_set(keys, DELETE_LIST, buf_str(&rest));
	else
		fields_remove(keys, DELETE_LIST);
}

static void list_add_name(struct fields *keys, const char *name)
{
	list_remove_name(keys, name);
	const char *names = fields_get(keys, DELETE_LIST);
	autofree char *longer = names ? xasprintf("%s,%s", names, name) : xstrdup(name);

	fields_set(keys, DELETE_LIST, longer);
}

static void pending_drop(struct guest_config *config, const char *key)
{
	struct guest_section *pending = guest_config_section(config, PENDING);

	if (!pending)
		return;
	fields_remove(&pending->keys, key);
	list_remove_name(&pending->keys, key);
	if (pending->keys.count == 0)
		guest_config_section_remove(config, PENDING);
}

static void key_delete_later(struct guest_config *config, const char *key)
{
	pending_drop(config, key);
	if (guest_config_get(config, key))
		list_add_name(&guest_config_section_add(config, PENDING)->keys, key);
}

static void key_set_later(struct guest_config *config, const char *key, const char *value)
{
	pending_drop(config, key);
	if (!str_eq(guest_config_get(config, key), value))
		fields_set(&guest_config_section_add(config, PENDING)->keys, key, value);
}

void config_change_apply(struct guest_config *config, const struct config_change *change,
			 bool is_running, const char *const *live)
{
	for (size_t i = 0; change->revert_keys && change->revert_keys[i]; i++)
		pending_drop(config, change->revert_keys[i]);
	for (size_t i = 0; change->delete_keys && change->delete_keys[i]; i++) {
		const char *key = change->delete_keys[i];

		if (is_running && !guest_key_is_in(live, key)) {
			key_delete_later(config, key);
			continue;
		}
		pending_drop(config, key);
		guest_config_delete(config, key);
	}
	for (size_t i = 0; change->set && i < change->set->count; i++) {
		const struct field *f = &change->set->items[i];

		if (is_running && !guest_key_is_in(live, f->name)) {
			key_set_later(config, f->name, f->value);
			continue;
		}
		pending_drop(config, f->name);
		guest_config_set(config, f->name, f->value);
	}
}

const char *config_pending_get(const struct guest_config *config, const char *key,
			       bool *ret_deleted)
{
	for (size_t i = 1; i < config->count; i++) {
		const struct fields *keys = &config->sections[i].keys;

		if (!str_eq(config->sections[i].name, PENDING))
			continue;
		autostrv char **deleted = str_split(fields_get(keys, DELETE_LIST) ?: "", ",; ");

		*ret_deleted = strv_has(deleted, key);
		return fields_get(keys, key);
	}
	*ret_deleted = false;
	return NULL;
}

bool config_pending_settle(struct guest_config *config, const char *key)
{
	bool is_deleted;
	autofree char *value = xstrdup(config_pending_get(config, key, &is_deleted));

	if (!value && !is_deleted)
		return false;
	pending_drop(config, key);
	if (value)
		guest_config_set(config, key, value);
	else
		guest_config_delete(config, key);
	return true;
}

bool config_pending_merge(struct guest_config *config)
{
	struct guest_section *pending = guest_config_section(config, PENDING);

	if (!pending)
		return false;
	autostrv char **deleted = str_split(fields_get(&pending->keys, DELETE_LIST) ?: "", ",; ");

	for (size_t i = 0; deleted[i]; i++)
		guest_config_delete(config, deleted[i]);
	for (size_t i = 0; i < pending->keys.count; i++) {
		const struct field *f = &pending->keys.items[i];

		if (!str_eq(f->name, DELETE_LIST))
			guest_config_set(config, f->name, f->value);
	}
	guest_config_section_remove(config, PENDING);
	return true;
}
