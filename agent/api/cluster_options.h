/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings of all nodes, /datacenter.cfg. Core's loop only. */
#pragma once

#include "agent/core/core.h"

/* The value of one, or NULL; heap. */
char *cluster_option(const struct core *core, const char *name);
