/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Handlers of virtual machines alone; what they share with containers is in guest_handlers.h. Core's loop
 * only. */
#pragma once

#include "agent/api/guest_request.h"

int vm_handle_create(struct api_request *req, struct err *err);
int vm_handle_config_put(struct api_request *req, struct err *err);
int vm_handle_config_post(struct api_request *req, struct err *err);
int vm_handle_unlink(struct api_request *req, struct err *err);
int vm_handle_start(struct api_request *req, struct err *err);
int vm_handle_reset(struct api_request *req, struct err *err);

/* May the caller use the volumes of these drives, and can they be used or made? `set` may hold other keys
 * too. */
int vm_drives_check(const struct api_request *req, const struct fields *set, struct err *err);
