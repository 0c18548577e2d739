/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the traces that the tools of a distribution leave. */
#include "agent/net/owner.h"

#include <glob.h>
#include <net/if.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define FILE_MAX  (256 * 1024)
#define IFUPDOWN  "/etc/network/interfaces"
#define WORDS_MIN 3 /* "iface eth0 inet METHOD": more than these */

bool net_interfaces_name(const char *text, const char *name)
{
	autostrv char **lines = str_split(text, "\n");

	for (char **line = lines; *line; line++) {
		autostrv char **words = str_split(*line, " \t");

		/* manual: somebody else does it */
		if (strv_count(words) > WORDS_MIN && str_eq(words[0], "iface") &&
		    str_eq(words[1], name) && !str_eq(words[3], "manual"))
			return true;
	}
	return false;
}

static bool file_names(const char *path, const char *name)
{
	autobuf text = BUF_INIT;

	return file_read(path, FILE_MAX, &text, NULL) == 0 &&
	       net_interfaces_name(buf_str(&text), name);
}

static bool is_of_ifupdown(const char *name)
{
	glob_t found = {0};
	bool is_named = file_names(IFUPDOWN, name);

	if (glob(IFUPDOWN ".d/*", GLOB_NOSORT, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc && !is_named; i++)
			is_named = file_names(found.gl_pathv[i], name);
	globfree(&found);
	return is_named;
}

static bool state_has(const char *folder, unsigned index, const char *word)
{
	autofree char *path = xasprintf("%s/%u", folder, index);
	autobuf text = BUF_INIT;

	return file_read(path, FILE_MAX, &text, NULL) == 0 && strstr(buf_str(&text), word);
}

const char *net_other_owner(const char *name)
{
	unsigned index = if_nametoindex(name);

	if (index > 0 && state_has("/run/systemd/netif/links", index, "ADMIN_STATE=configured"))
		return "systemd-networkd";
	if (index > 0 && state_has("/run/NetworkManager/devices", index, "connection-uuid="))
		return "NetworkManager";
	return is_of_ifupdown(name) ? IFUPDOWN : NULL;
}
