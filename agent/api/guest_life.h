/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies of guests of any kind, templates, and what becomes of their volumes, over the API. Core's loop only. */
#pragma once

#include "agent/api/guest_request.h"

int guest_handle_clone(struct api_request *req, struct err *err);
int guest_handle_template(struct api_request *req, struct err *err);
int guest_handle_resize(struct api_request *req, struct err *err);
/* Parameters volume and target-volume, or disk and target-disk. */
int guest_handle_move(struct api_request *req, struct err *err);
