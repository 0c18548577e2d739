/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes /etc/localtime and /etc/timezone of a container. Runs in jobs, in forked steps. */
#include "agent/guest/ct/timezone.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/rootdir.h"

#define ZONES "/usr/share/zoneinfo/"

/* "Europe/Berlin", from where the node's /etc/localtime leads. */
static char *host_zone(void)
{
	char target[256];
	ssize_t n = readlink("/etc/localtime", target, sizeof(target) - 1);
	const char *name;

	target[n > 0 ? n : 0] = '\0';
	name = strstr(target, "zoneinfo/");
	return name ? xstrdup(name + strlen("zoneinfo/")) : NULL;
}

int ct_timezone_set(int root, const char *zone, struct err *err)
{
	autofree char *name = NULL, *target = NULL;
	char now[256];
	int r;

	if (!zone)
		return 0;
	name = str_eq(zone, "host") ? host_zone() : xstrdup(zone);
	if (!name)
		return 0; /* the node has no zone either */
	target = xasprintf(ZONES "%s", name);
	rootdir_read_link(root, "/etc/localtime", now, sizeof(now));
	if (str_eq(now, target))
		return 0;
	if ((r = rootdir_remove(root, "/etc/localtime", err)) < 0 ||
	    (r = rootdir_link(root, "/etc/localtime", target, err)) < 0)
		return r;
	if (!rootdir_exists(root, "/etc/timezone"))
		return 0;
	autofree char *line = xasprintf("%s\n", name);

	return rootdir_write(root, "/etc/timezone", line, strlen(line), 0644, err);
}
