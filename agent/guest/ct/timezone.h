/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time zone inside a container. */
#pragma once

#include "agent/base/err.h"

/* zone: a name of the zone database, "host", or NULL (left alone). One that the system inside does not know is left
 * out with the usual consequence, UTC. root: the mounted root of a stopped container. */
int ct_timezone_set(int root, const char *zone, struct err *err);
