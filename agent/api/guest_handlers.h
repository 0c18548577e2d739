/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Handlers that serve every kind of guest; a kind's route tables name them. Core's loop only. */
#pragma once

#include "agent/api/api.h"

int guest_handle_list(struct api_request *req, struct err *err);
int guest_handle_index(struct api_request *req, struct err *err); /* what lies below the route */
int guest_handle_status_current(struct api_request *req, struct err *err);
int guest_handle_start(struct api_request *req, struct err *err);
int guest_handle_stop(struct api_request *req, struct err *err);
int guest_handle_shutdown(struct api_request *req, struct err *err);
int guest_handle_reboot(struct api_request *req, struct err *err);
int guest_handle_destroy(struct api_request *req, struct err *err);
int guest_handle_config_get(struct api_request *req, struct err *err);
int guest_handle_config_put(struct api_request *req, struct err *err);
int guest_handle_pending(struct api_request *req, struct err *err);
int ct_handle_config_put(struct api_request *req, struct err *err);
int ct_handle_suspend(struct api_request *req, struct err *err);
int ct_handle_resume(struct api_request *req, struct err *err);
int ct_handle_create(struct api_request *req, struct err *err);

/* The parameters that lead to a guest, for route tables. */
#define GUEST_NODE_PARAM                                                                           \
	{                                                                                          \
		.name = "node", .type = PARAM_STRING, .format = "pve-node",                        \
		.text = "Name of the node."                                                        \
	}
#define GUEST_VMID_PARAM PARAM_VMID("vmid", false, "Id of the guest.")
