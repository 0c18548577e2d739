/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a guest's configuration as JSON. Pure; used by the core. */
#include "agent/guest/view.h"

#include "agent/base/str.h"

#define RAW_PREFIX "lxc."

static bool is_raw(const struct field *f)
{
	return str_starts(f->name, RAW_PREFIX);
}

static void value_write(const struct guest_kind_ops *ops, const struct field *f, struct json *j)
{
	const struct param *p = param_find(ops->params, f->name);
	int64_t number;
	double real;
	bool flag;

	/* "snaptime": of a snapshot's section, no setting */
	if (((p && p->type == PARAM_INTEGER) || str_eq(f->name, "snaptime")) &&
	    str_to_i64(f->value, &number))
		json_int(j, number);
	else if (p && p->type == PARAM_NUMBER && str_to_double(f->value, &real))
		json_double(j, real);
	else if (p && p->type == PARAM_BOOLEAN && str_to_bool(f->value, &flag))
		json_flag(j, flag);
	else
		json_string_n(j, f->value, f->size);
}

/* Raw container settings repeat, so they come as a list of pairs. */
static void raw_write(const struct fields *keys, struct json *j)
{
	bool any = false;

	for (size_t i = 0; i < keys->count; i++)
		any |= is_raw(&keys->items[i]);
	if (!any)
		return;
	json_key(j, "lxc");
	json_array_begin(j);
	for (size_t i = 0; i < keys->count; i++) {
		if (!is_raw(&keys->items[i]))
			continue;
		json_array_begin(j);
		json_string(j, keys->items[i].name);
		json_string(j, keys->items[i].value);
		json_array_end(j);
	}
	json_array_end(j);
}

static void section_write(const struct guest_kind_ops *ops, const struct guest_section *section,
			  struct json *j)
{
	for (size_t i = 0; i < section->keys.count; i++) {
		const struct field *f = &section->keys.items[i];

		if (is_raw(f) || str_eq(f->name, "digest") || str_eq(f->name, "lxc"))
			continue;
		json_key(j, f->name);
		value_write(ops, f, j);
	}
	if (section->description)
		json_kv_string(j, "description", section->description);
	raw_write(&section->keys, j);
}

void guest_config_write(const struct guest_kind_ops *ops, const struct guest_config *config,
			bool is_current, struct json *j)
{
	struct guest_config shown __attribute__((cleanup(guest_config_fini)));

	guest_config_copy(&shown, config);
	if (!is_current)
		config_pending_merge(&shown);
	json_object_begin(j);
	section_write(ops, &shown.sections[0], j);
	json_kv_string(j, "digest", config->digest);
	json_object_end(j);
}

static const struct guest_section *pending_section(const struct guest_config *config)
{
	for (size_t i = 1; i < config->count; i++) {
		if (str_eq(config->sections[i].name, "PENDING"))
			return &config->sections[i];
	}
	return NULL;
}

/* One entry; now and later may be NULL. */
static void entry_write(const struct guest_kind_ops *ops, const struct field *now,
			const struct field *later, bool is_deleted, struct json *j)
{
	json_object_begin(j);
	json_kv_string(j, "key", now ? now->name : later->name);
	if (now) {
		json_key(j, "value");
		value_write(ops, now, j);
	}
	if (later) {
		json_key(j, "pending");
		value_write(ops, later, j);
	}
	if (is_deleted)
		json_kv_int(j, "delete", 1);
	json_object_end(j);
}

static void text_entry_write(const char *key, const char *value, struct json *j)
{
	if (!value)
		return;
	json_object_begin(j);
	json_kv_string(j, "key", key);
	json_kv_string(j, "value", value);
	json_object_end(j);
}

void guest_pending_write(const struct guest_kind_ops *ops, const struct guest_config *config,
			 struct json *j)
{
	const struct guest_section *main_section = &config->sections[0];
	const struct guest_section *pending = pending_section(config);
	const char *list = pending ? fields_get(&pending->keys, "delete") : NULL;
	autostrv char **deleted = str_split(list ?: "", ",; ");

	json_array_begin(j);
	for (size_t i = 0; i < main_section->keys.count; i++) {
		const struct field *f = &main_section->keys.items[i];

		if (!is_raw(f))
			entry_write(ops, f, pending ? fields_find(&pending->keys, f->name) : NULL,
				    strv_has(deleted, f->name), j);
	}
	for (size_t i = 0; pending && i < pending->keys.count; i++) {
		const struct field *f = &pending->keys.items[i];

		if (!str_eq(f->name, "delete") && !fields_find(&main_section->keys, f->name))
			entry_write(ops, NULL, f, false, j);
	}
	text_entry_write("description", main_section->description, j);
	text_entry_write("digest", config->digest, j);
	json_array_end(j);
}
