/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of a whole configuration; for ct_kind.c. */
#pragma once

#include "agent/guest/ct_schema.h"

int ct_config_check(const struct guest_config *config, struct err *err);
