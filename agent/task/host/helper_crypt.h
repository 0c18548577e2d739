/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Password hashes (yescrypt), made and checked in helper processes: it takes time and memory on
 * purpose. */
#pragma once

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"

/* args: password, hash. "true" or "false". A password that no hash can belong to is "false". */
int helper_crypt_verify(const struct fields *args, struct buf *out, struct err *err);
/* args: password. The hash, as plain text. */
int helper_crypt_hash(const struct fields *args, struct buf *out, struct err *err);
