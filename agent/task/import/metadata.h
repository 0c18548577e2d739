/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helper import-metadata. */
#pragma once

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"

/* args: a storage, volid (an .ova or .ovf of content import). The contract's description of the machine. */
int helper_import_metadata(const struct fields *args, struct buf *out, struct err *err);
