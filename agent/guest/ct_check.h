/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Do a container's settings fit together? */
#pragma once

#include "agent/guest/ct_schema.h"

/* Refuses quota=1 where a change asks for it; what has it already keeps it. before NULL: there was none. */
int ct_quota_check(const struct guest_config *before, const struct fields *set, struct err *err);
int ct_config_check(const struct guest_config *config, struct err *err);
