/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What values of a container's keys ask of whoever sets them, beside the privilege of the key: some open a way
 * out to the node and are root's alone, new volumes need room on their storage. Core's loop only. */
#pragma once

#include "agent/api/guest_request.h"
#include "agent/guest/ct_schema.h"

/* set: as sent. is_unprivileged: the container is, or will be. raw: the parameter lxc was given. */
int ct_rights_check(const struct api_request *req, const struct fields *set, bool is_unprivileged,
		    struct err *err);
/* The same for keys that nobody sends but that come into force with a clone or a rollback (agent/guest/ct_roots.h). The
 * job asks again: until its turn root may take something away. */
int ct_rights_check_again(const struct api_request *req, const struct fields *keys,
			  const struct guest_config *now, struct err *err);
