/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The five roots and joining below them. */
#include "agent/base/paths.h"

#include <stdarg.h>
#include <stdlib.h>

#include "agent/base/mem.h"

static const char *root(const char *variable, const char *standard)
{
	const char *value = secure_getenv(variable);

	return value && value[0] == '/' ? value : standard;
}

const char *path_state(void)
{
	return root("LODGE_STATE_DIR", "/var/lib/lodge");
}

const char *path_run(void)
{
	return root("LODGE_RUN_DIR", "/run/lodge");
}

const char *path_libexec(void)
{
	return root("LODGE_LIBEXEC_DIR", "/usr/libexec/lodge");
}

const char *path_share(void)
{
	return root("LODGE_SHARE_DIR", "/usr/share/lodge");
}

const char *path_etc(void)
{
	return root("LODGE_ETC_DIR", "/etc/lodge");
}

char *path_join(const char *base, const char *fmt, ...)
{
	autofree char *below = NULL;
	va_list ap;

	va_start(ap, fmt);
	below = xvasprintf(fmt, ap);
	va_end(ap);
	return xasprintf("%s/%s", base, below);
}
