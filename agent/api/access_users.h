/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Handlers of /access/users that change something (access_user_edit.c). */
#pragma once

#include "agent/api/access_edit.h"

int access_user_create(struct api_request *req, struct err *err);
int access_user_update(struct api_request *req, struct err *err);
int access_user_delete(struct api_request *req, struct err *err);
/* Ends all of its tickets. */
int access_user_log_out(struct api_request *req, struct err *err);
