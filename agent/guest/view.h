/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's configuration as the API shows it. Pure. */
#pragma once

#include "agent/base/json.h"
#include "agent/guest/guest.h"

/* An object of all keys and the digest. is_current: without pending changes, as running; otherwise as
 * it will be after the next start. Numbers and booleans are JSON numbers. */
void guest_config_write(const struct guest_kind_ops *ops, const struct guest_config *config,
			bool is_current, struct json *j);
/* The list of {key, value, pending, delete}. */
void guest_pending_write(const struct guest_kind_ops *ops, const struct guest_config *config,
			 struct json *j);
