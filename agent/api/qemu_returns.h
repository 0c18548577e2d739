/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON schemas of what only the routes of virtual machines return, as string literals. */
#pragma once

#include "agent/api/guest_routes.h"

#define QEMU_RETURNS_STATUS                                                                        \
	GUEST_RETURNS_STATUS(GUEST_OPT("qmpstatus", "string") GUEST_OPT("agent", "boolean")        \
				     GUEST_OPT("serial", "boolean"))
