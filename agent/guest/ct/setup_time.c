/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's time zone: the link /etc/localtime into its own zoneinfo. Runs in jobs, in forked steps. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/rootdir.h"
#include "agent/guest/ct/setup.h"
#include "agent/net/host_files.h"

#define ZONEINFO "/usr/share/zoneinfo/"
#define ZONE_MAX 64

static void host_zone(char *ret, size_t size)
{
	char link[512];
	ssize_t n = readlink("/etc/localtime", link, sizeof(link) - 1);
	const char *at;

	link[n > 0 ? n : 0] = '\0';
	at = strstr(link, "/zoneinfo/");
	str_copy(ret, size, at ? at + strlen("/zoneinfo/") : "UTC");
}

static bool has_zone(int root, const char *path)
{
	autofd int fd = rootdir_open(root, path, O_PATH);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* The link is replaced by way of another name, so that there is always one. */
static int write_link(int root, const char *zone, struct err *err)
{
	autofree char *target = xasprintf("..%s%s", ZONEINFO, zone);
	char now[512];

	rootdir_read_link(root, "/etc/localtime", now, sizeof(now));
	if (str_eq(now, target))
		return 0;
	return rootdir_replace_link(root, "/etc/localtime", target, err);
}

int ct_setup_timezone(const struct ct_setup *setup, struct err *err)
{
	const char *wanted = guest_config_get(setup->config, "timezone");
	char zone[ZONE_MAX + 1];
	int r;

	if (str_is_empty(wanted))
		return 0;
	if (str_eq(wanted, "host"))
		host_zone(zone, sizeof(zone));
	else if (!str_copy(zone, sizeof(zone), wanted))
		zone[0] = '\0';
	if (!host_zone_is_name(zone))
		return err_field(err, "timezone", "'%s' is not a time zone", wanted);
	autofree char *path = xasprintf("%s%s", ZONEINFO, zone);
	if (!has_zone(setup->root, path)) {
		task_warn(setup->task, "timezone: the system inside has no '%s'", zone);
		return 0;
	}
	if ((r = write_link(setup->root, zone, err)) < 0 ||
	    !rootdir_exists(setup->root, "/etc/timezone"))
		return r;
	autofree char *line = xasprintf("%s\n", zone);
	return rootdir_write(setup->root, "/etc/timezone", line, strlen(line), 0644, err);
}
