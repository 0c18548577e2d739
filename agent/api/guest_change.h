/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A change of a guest's configuration that a job makes (agent/task/guest/change.h): what can be refused at once, and the
 * job. What a kind's volumes need is the kind's own. Core's loop only. */
#pragma once

#include "agent/api/guest_request.h"

/* Privileges of the keys, digest, lock. */
int guest_change_check(const struct api_request *req, const struct guest_target *target,
		       const struct guest_update *update, struct err *err);
/* Whether the rest fits together is seen without the volumes that are to be made. */
int guest_change_check_result(const struct guest_target *target, const struct guest_update *update,
			      bool (*is_new_volume)(const struct field *f), struct err *err);
/* args gets what every kind's job is told; it may hold more. */
int guest_change_start(struct api_request *req, const struct guest_target *target,
		       const struct guest_update *update, struct fields *args, bool is_awaited,
		       struct err *err);
