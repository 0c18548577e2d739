/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container as liblxc sees it, for calls on one that runs. Its command socket has no deadline: whoever needs one forks
 * first. */
#pragma once

#include <lxc/lxccontainer.h>

#include "agent/base/err.h"

/* lxc_container_put(). What liblxc would say goes nowhere: the callers have words of their own. */
int lxc_open(const char *lxc_path, unsigned vmid, struct lxc_container **ret, struct err *err);
