/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads when a guest starts. Pure; used by the core at its start. */
#include "agent/guest/startup.h"

#include <string.h>

#include "agent/base/str.h"

static uint32_t number(const char *text, uint32_t fallback)
{
	uint64_t value;

	return str_to_u64(text, &value) && value < UINT32_MAX ? (uint32_t)value : fallback;
}

static void part_read(const char *part, struct guest_startup *startup)
{
	const char *equals = strchr(part, '=');

	if (!equals)
		startup->order = number(part, startup->order);
	else if (str_starts(part, "order="))
		startup->order = number(equals + 1, startup->order);
	else if (str_starts(part, "up="))
		startup->up = number(equals + 1, startup->up);
	else if (str_starts(part, "down="))
		startup->down = number(equals + 1, startup->down);
}

void guest_startup_read(const struct guest_config *config, struct guest_startup *ret)
{
	const char *text = guest_config_get(config, "startup");
	autostrv char **parts = str_split(text ? text : "", ",");

	*ret = (struct guest_startup){.order = GUEST_ORDER_LAST};
	for (size_t i = 0; parts[i]; i++)
		part_read(parts[i], ret);
	str_to_bool(guest_config_get(config, "onboot"), &ret->on_boot);
}

int guest_startup_compare(const struct guest_startup *a, unsigned vmid_a,
			  const struct guest_startup *b, unsigned vmid_b)
{
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return (vmid_a > vmid_b) - (vmid_a < vmid_b);
}
