/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a change of a guest's configuration asks of whoever makes it, key by key. Core's loop only. */
#pragma once

#include "agent/api/guest_request.h"

/* Every key that is set, deleted or reverted needs its own privilege on /vms/VMID, which may depend on its values: the
 * new one, and those that it replaces, stored and waiting. An interface that joins a bridge or VLAN which it did not
 * join before needs SDN.Use on it, too. */
int guest_keys_allowed(const struct api_request *req, const struct guest_target *target,
		       const struct guest_update *update, struct err *err);
/* The same of what a client sends; target->guest is NULL where it is still to be made. The lock is root's, and "create"
 * the node's own. */
int guest_keys_check(const struct api_request *req, const struct guest_target *target,
		     const struct guest_update *update, struct err *err);
/* Of keys that nobody sends but that come into force with a clone or a rollback: the bridges that they join. now: what
 * counts until then, NULL: nothing. */
int guest_keys_check_bridges(const struct api_request *req, const struct guest_kind_ops *ops,
			     const struct fields *keys, const struct guest_config *now,
			     struct err *err);
