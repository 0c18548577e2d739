/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host side of a container's interfaces. */
#pragma once

#include <stdbool.h>

#include "agent/base/err.h"

/* Deletes a network interface; absent is fine. */
int veth_delete(const char *name, struct err *err);
int veth_set_down(const char *name, struct err *err);
/* Bounds both directions of a host side interface, in megabytes a second; 0 takes the bound away. */
int veth_set_rate(const char *name, double rate, struct err *err);
bool veth_bridge_has_vlans(const char *bridge);
