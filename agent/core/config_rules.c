/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of configuration files and privileges. Pure. */
#include "agent/core/config_rules.h"

#include <stddef.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static const struct config_rule rules[] = {
	{"/storage.cfg", "/storage", "Datastore.Audit|Datastore.AllocateSpace", true,
	 "Datastore.Audit"},
	{"/user.cfg", "/access", "Sys.Audit", false, "Sys.Audit"},
};

const struct config_rule *config_rule_find(const char *config)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (str_starts(config, rules[i].prefix))
			return &rules[i];
	return NULL;
}
