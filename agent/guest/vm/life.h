/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What jobs on volumes (agent/task/guest/life.h) need to know of virtual machines. */
#pragma once

#include "agent/task/guest/life.h"

extern const struct life vm_life;
