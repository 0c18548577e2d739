/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of what can be under way. Pure. */
#include "agent/guest/underway.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/snapshots.h"
#include "storage/volid/volid.h"

#define OWNER ",job="

static const struct {
	const char *section, *command;
	bool is_unlocked;
} sections[] = {
	{UNDERWAY_MOVE, "move-undo", false},	  {UNDERWAY_ROLLBACK, "rollback", false},
	{UNDERWAY_CLONE, "clone-release", false}, {UNDERWAY_TEMPLATE, "template", false},
	{UNDERWAY_DESTROY, "destroy", false},	  {UNDERWAY_CONFIG, "config-undo", true},
};

static const struct {
	const char *state, *command;
} states[] = {
	{SNAPSHOT_PREPARE, "snapshot-undo"},
	{SNAPSHOT_DELETE, "delsnapshot"},
};

static const char *find_section(const struct guest_section *section, bool is_locked)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (str_eq(section->name, sections[i].section) &&
		    (is_locked || sections[i].is_unlocked))
			return sections[i].command;
	return NULL;
}

static const char *find_state(const struct guest_section *section)
{
	const char *state =
		guest_section_is_snapshot(section) ? guest_snapshot_state(section) : NULL;

	for (size_t i = 0; state && i < ARRAY_SIZE(states); i++)
		if (str_eq(state, states[i].state))
			return states[i].command;
	return NULL;
}

bool guest_underway_find(const struct guest_config *config, struct guest_underway *ret)
{
	bool is_locked = guest_config_get(config, "lock") != NULL;

	for (size_t i = 1; i < config->count; i++) {
		const struct guest_section *section = &config->sections[i];
		const char *by_name = find_section(section, is_locked);
		const char *by_state = is_locked ? find_state(section) : NULL;

		if (!by_name && !by_state)
			continue;
		*ret = (struct guest_underway){.command = by_name ? by_name : by_state};
		str_copy(ret->snapname, sizeof(ret->snapname),
			 by_state ? section->name
				  : fields_get(&section->keys, "snapname") ?: "");
		return true;
	}
	return false;
}

void guest_underway_set(struct guest_config *config, const char *section, const char *key,
			const char *value)
{
	struct guest_section *s = guest_config_section_add(config, section);

	fields_set(&s->keys, key, value);
}

static const struct guest_section *section_of(const struct guest_config *config, const char *name)
{
	for (size_t i = 1; i < config->count; i++)
		if (str_eq(config->sections[i].name, name))
			return &config->sections[i];
	return NULL;
}

/* "VOLID" or "VOLID,job=OWNER" */
static bool is_note(const struct field *f, const char *volid, const char *owner)
{
	size_t size = strcspn(f->value, ",");
	autofree char *noted = xstrndup(f->value, size);
	const char *theirs = str_after(f->value + size, OWNER);

	if (!str_starts(f->name, "volume") || (owner && theirs && !str_eq(owner, theirs)))
		return false;
	return !volid || volid_text_same(noted, volid);
}

static const struct field *note_of(const struct guest_section *section, const char *volid,
				   const char *owner)
{
	for (size_t i = 0; section && i < section->keys.count; i++)
		if (is_note(&section->keys.items[i], volid, owner))
			return &section->keys.items[i];
	return NULL;
}

bool guest_underway_is_others(const struct guest_config *config, const char *section,
			      const char *volid, const char *owner)
{
	const struct guest_section *s = section_of(config, section);

	for (size_t i = 0; s && i < s->keys.count; i++)
		if (is_note(&s->keys.items[i], volid, NULL) &&
		    !(owner && is_note(&s->keys.items[i], volid, owner)))
			return true;
	return false;
}

void guest_underway_note(struct guest_config *config, const char *section, const char *volid,
			 const char *owner)
{
	const struct guest_section *s = section_of(config, section);
	autofree char *value = xasprintf("%s%s%s", volid, owner ? OWNER : "", owner ?: "");
	char key[16];

	if (note_of(s, volid, owner))
		return;
	for (unsigned i = 0;; i++) {
		snprintf(key, sizeof(key), "volume%u", i);
		if (!s || !fields_find(&s->keys, key))
			break;
	}
	guest_underway_set(config, section, key, value);
}

void guest_underway_drop(struct guest_config *config, const char *section, const char *volid,
			 const char *owner)
{
	struct guest_section *s = guest_config_section(config, section);
	const struct field *note;

	while ((note = note_of(s, volid, owner))) {
		autofree char *key = xstrdup(note->name);

		fields_remove(&s->keys, key);
	}
	if (s && s->keys.count == 0)
		guest_config_section_remove(config, section);
}

void guest_underway_volumes(const struct guest_config *config, const char *section,
			    const char *owner, struct fields *ret)
{
	const struct guest_section *s = section_of(config, section);

	for (size_t i = 0; s && i < s->keys.count; i++) {
		const struct field *f = &s->keys.items[i];
		autofree char *volid = xstrndup(f->value, strcspn(f->value, ","));

		if (is_note(f, NULL, owner) && !volid_find(ret, volid))
			fields_add(ret, volid, "");
	}
}
