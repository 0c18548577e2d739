/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a change of a guest's configuration asks of whoever makes it, key by key. Core's loop only. */
#pragma once

#include "agent/api/guest_request.h"

/* Every key that is set, deleted or reverted needs its own privilege on /vms/VMID, which may depend on its values: the
 * new one, and those that it replaces, stored and waiting. */
int guest_keys_allowed(const struct api_request *req, const struct guest_target *target,
		       const struct guest_update *update, struct err *err);
/* The same of what a client sends; target->guest is NULL where it is still to be made. The lock is root's, and "create"
 * the node's own. */
int guest_keys_check(const struct api_request *req, const struct guest_target *target,
		     const struct guest_update *update, struct err *err);
