/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge.conf and the environment, merged. */
#include "systemd/supervise/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define CONF_MAX (64u * 1024)

const char *settings_path(void)
{
	const char *path = getenv("LODGE_CONF");

	return str_is_empty(path) ? "/etc/lodge/lodge.conf" : path;
}

bool settings_is_line(const char *line)
{
	const char *name = str_after(line, "LODGE_");
	size_t length = name ? strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") : 0;

	return length > 0 && name[length] == '=';
}

static size_t find(char **env, const char *line)
{
	size_t name = strcspn(line, "=") + 1, i = 0;

	while (env[i] && strncmp(env[i], line, name) != 0)
		i++;
	return i;
}

static void put(char ***env, const char *line)
{
	size_t count = strv_count(*env), at = find(*env, line);

	if (at == count) {
		*env = xrealloc(*env, count + 2, sizeof(**env));
		(*env)[count] = (*env)[count + 1] = NULL;
	}
	xreplace(&(*env)[at], line);
}

char **settings_environment(void)
{
	char **env = xcalloc(1, sizeof(*env));
	autobuf text = BUF_INIT;

	put(&env, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	put(&env, "LC_ALL=C.UTF-8");
	put(&env, "HOME=/root");
	for (char **e = environ; *e; e++)
		if (settings_is_line(*e))
			put(&env, *e);
	if (file_read(settings_path(), CONF_MAX, &text, NULL) < 0)
		return env;
	autostrv char **lines = str_split(buf_str(&text), "\r\n");
	for (char **line = lines; *line; line++)
		if (settings_is_line(*line))
			put(&env, *line);
	return env;
}
