/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings without an effect, for both kinds of guests. Pure. */
#include "agent/guest/notices.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"

static bool has_flag(const char *value, const char *name)
{
	autostrv char **parts = str_split(value, ",");
	bool on = false;

	for (char **part = parts; *part; part++) {
		const char *flag = str_after(*part, name);

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

		if (index && str_to_u64(index, &number) &&
		    has_flag(keys->items[i].value, "firewall="))
			fields_addf(ret, keys->items[i].name,
				    "%s: firewall=1 is kept and not enforced: this version has no "
				    "firewall for guests",
				    keys->items[i].name);
		if ((str_eq(keys->items[i].name, "rootfs") ||
		     str_after(keys->items[i].name, "mp")) &&
		    has_flag(keys->items[i].value, "quota="))
			fields_addf(
				ret, keys->items[i].name,
				"%s: quota=1 is kept and has no effect: there are no user quotas "
				"inside containers",
				keys->items[i].name);
		if (str_after(keys->items[i].name, "mp") &&
		    has_flag(keys->items[i].value, "keepattrs=") &&
		    (keys->items[i].value[0] == '/' || has_flag(keys->items[i].value, "ro=")))
			fields_addf(ret, keys->items[i].name,
				    "%s: keepattrs=1 has no effect on a folder of the node, nor on "
				    "what is mounted for reading only",
				    keys->items[i].name);
	}
}
