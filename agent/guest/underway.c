/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of what can be under way. Pure. */
#include "agent/guest/underway.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/snapshots.h"

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
