/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest configuration in memory: sections, keys, copies. Pure; used by the core and by jobs.
 * The text form is config_parse.c and config_format.c. */
#include "agent/guest/config.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static void section_fini(struct guest_section *section)
{
	free(section->name);
	free(section->description);
	fields_fini(&section->keys);
}

void guest_config_init(struct guest_config *config)
{
	*config = (struct guest_config){0};
	guest_config_section_add(config, "");
}

void guest_config_fini(struct guest_config *config)
{
	for (size_t i = 0; i < config->count; i++)
		section_fini(&config->sections[i]);
	free(config->sections);
	*config = (struct guest_config){0};
}

void guest_config_copy(struct guest_config *dst, const struct guest_config *src)
{
	*dst = (struct guest_config){0};
	memcpy(dst->digest, src->digest, sizeof(dst->digest));
	for (size_t i = 0; i < src->count; i++) {
		struct guest_section *section =
			guest_config_section_add(dst, src->sections[i].name);

		section->description = xstrdup(src->sections[i].description);
		fields_copy(&section->keys, &src->sections[i].keys);
	}
}

/* A description always ends in a newline, as it does when it is read back from the text. */
static void description_set(struct guest_section *section, const char *text)
{
	free(section->description);
	section->description = NULL;
	if (!str_is_empty(text))
		section->description = xasprintf("%s%s", text, str_ends(text, "\n") ? "" : "\n");
}

const char *guest_config_get(const struct guest_config *config, const char *key)
{
	const struct guest_section *section = &config->sections[0];

	return str_eq(key, "description") ? section->description : fields_get(&section->keys, key);
}

/* In its old place, unlike fields_set(): a changed value is a changed line, not a moved one. */
static void key_set(struct fields *keys, const char *key, const char *value)
{
	for (size_t i = 0; i < keys->count; i++) {
		struct field *f = &keys->items[i];

		if (!str_eq(f->name, key))
			continue;
		xreplace(&f->value, value);
		f->size = strlen(f->value);
		return;
	}
	fields_add(keys, key, value);
}

bool guest_config_flag(const struct guest_config *config, const char *key)
{
	bool value = false;

	str_to_bool(guest_config_get(config, key) ?: "0", &value);
	return value;
}

void guest_config_set(struct guest_config *config, const char *key, const char *value)
{
	if (str_eq(key, "description"))
		description_set(&config->sections[0], value);
	else
		key_set(&config->sections[0].keys, key, value);
}

bool guest_config_delete(struct guest_config *config, const char *key)
{
	bool had = guest_config_get(config, key) != NULL;

	if (str_eq(key, "description"))
		description_set(&config->sections[0], NULL);
	else
		fields_remove(&config->sections[0].keys, key);
	return had;
}

struct guest_section *guest_config_section(struct guest_config *config, const char *name)
{
	for (size_t i = 0; i < config->count; i++) {
		if (str_eq(config->sections[i].name, name))
			return &config->sections[i];
	}
	return NULL;
}

struct guest_section *guest_config_section_add(struct guest_config *config, const char *name)
{
	struct guest_section *section = guest_config_section(config, name);

	if (section)
		return section;
	config->sections = xrealloc(config->sections, config->count + 1, sizeof(*config->sections));
	section = &config->sections[config->count++];
	*section = (struct guest_section){.name = xstrdup(name)};
	return section;
}

void guest_config_section_remove(struct guest_config *config, const char *name)
{
	struct guest_section *section = guest_config_section(config, name);

	if (!section || section == config->sections)
		return;
	section_fini(section);
	size_t after = config->count - 1 - (size_t)(section - config->sections);

	memmove(section, section + 1, after * sizeof(*section));
	config->count--;
}
