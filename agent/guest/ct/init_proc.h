/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first process of a running container, and what it has: its namespaces, its root. A process number may become
 * another one's at any moment; a folder in /proc never does. So that is opened and compared with the record once, and
 * everything else is opened below it. Runs in jobs and hooks, in their forked steps too. */
#pragma once

#include <stdbool.h>

#include "agent/guest/ct/record.h"

/* The folder of its init in /proc. ERR_UNAVAILABLE: that has ended. */
int ct_init_open(const struct ct_record *record, struct err *err);
/* name: "net", … ERR_UNAVAILABLE: it has ended. */
int ct_init_namespace(int init, const char *name, struct err *err);
/* Is it the one that this process is in? */
bool ct_init_is_own(const char *name, int namespace);
/* The same, where sharing this process' one is refused: ERR_UNSUPPORTED. */
int ct_init_foreign_namespace(int init, const char *name, struct err *err);
/* Its root folder; never that of this process' own mount namespace. */
int ct_init_root(const struct ct_record *record, struct err *err);
