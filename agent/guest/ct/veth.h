/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host side of a container's interfaces. */
#pragma once

#include "agent/base/err.h"

/* Deletes a network interface; absent is fine. */
int veth_delete(const char *name, struct err *err);
int veth_set_down(const char *name, struct err *err);
