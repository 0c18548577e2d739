/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parameters of storages' definitions, as the contract has them for all types. What a type really has
 * is storage/volid/storage_rules.h's. */
#pragma once

#include "agent/base/param.h"

extern const struct param storage_keys_both[];	  /* POST and PUT */
extern const struct param storage_bwlimit_keys[]; /* of the property string bwlimit */
extern const struct param storage_keys_create[];  /* POST alone: storage, type, path, … */
extern const char *const storage_types[];	  /* the contract's */
