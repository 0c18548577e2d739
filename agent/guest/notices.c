/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings without an effect, for both kinds of guests. Pure. */
#include "agent/guest/notices.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"

static bool asks_for_firewall(const char *value)
{
	autostrv char **parts = str_split(value, ",");
	bool on = false;

	for (char **part = parts; *part; part++) {
		const char *flag = str_after(*part, "firewall=");

		if (flag && !str_to_bool(flag, &on))
			on = false;
	}
	return on;
}

void guest_notices(const struct guest_config *config, struct fields *ret)
{
	const struct fields *keys = &config->sections[0].keys;

	for (size_t i = 0; i < keys->count; i++) {
		const char *index = str_after(keys->items[i].name, "net");
		uint64_t number;

		if (index && str_to_u64(index, &number) && asks_for_firewall(keys->items[i].value))
			fields_addf(ret, keys->items[i].name,
				    "%s: firewall=1 is kept and not enforced: this version has no "
				    "firewall for guests",
				    keys->items[i].name);
	}
}
