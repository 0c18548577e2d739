/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemons are started with: the settings of lodge.conf as environment. */
#pragma once

#include <stdbool.h>

/* LODGE_CONF, or /etc/lodge/lodge.conf */
const char *settings_path(void);
/* A fixed PATH and locale, the LODGE_* variables of this process, and over them the file's lines.
 * Read anew at each call; a file that is not there, or lines that are no settings, are left out.
 * Free with strv_free(). */
char **settings_environment(void);
/* "LODGE_PORT=8006": a name of capitals, digits and '_' that starts with LODGE_, '=' and anything. */
bool settings_is_line(const char *line);
