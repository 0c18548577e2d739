/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The common end of creating a guest: a configuration with "lock: create" goes into the store, then
 * the job starts. Core's loop only. */
#pragma once

#include "agent/api/guest_request.h"

/* Is the id free? ERR_EXISTS names the guest and its node. */
int guest_create_check_id(const struct api_request *req, const struct guest_kind_ops *ops,
			  unsigned vmid, struct err *err);
/* Is the storage there, usable on this node, and made for this content ("rootdir")? */
int guest_create_check_storage(const struct api_request *req, const char *storage,
			       const char *content, struct err *err);
/* Stores config with its lock, and the guest's place in a pool in the same step (pools.h), then calls next(), which must
 * start the job; see also guest_create_abandon(). */
int guest_create_store(struct api_request *req, unsigned vmid, struct guest_config *config,
		       api_then_fn next, struct err *err);
/* The job could not be started: takes the configuration away again. */
void guest_create_abandon(struct api_request *req, unsigned vmid);
