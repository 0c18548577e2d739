/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guests of /cluster/resources as ready JSON. Each guest's text is kept until its configuration
 * or its facts change; whole lists are kept for the identities that asked last. */
#pragma once

#include "agent/api/api.h"

/* Writes every guest that the request's identity may see (VM.Audit) as elements of the open array. */
void api_resources_write_guests(struct api_request *req);
/* Drops the cache. */
void api_resources_forget(void);
