/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The elements of /cluster/resources, for the list and for events; those of guests as ready JSON. Each guest's text is kept until its configuration
 * or its facts change; whole lists are kept for the identities that asked last. */
#pragma once

#include "agent/api/api.h"

/* Writes every guest that the request's identity may see (VM.Audit) as elements of the open array. */
void api_resources_write_guests(struct api_request *req);
/* One guest's element, from the same cache; borrowed until the next call of either. */
struct guest;
const char *api_resources_guest(const struct core *core, const struct guest *guest,
				size_t *ret_size);
/* What every element of a guest begins with: id, type, node, vmid. */
void api_resources_write_identity(struct json *j, const struct guest *guest);
struct storage_def;
void api_resources_write_storage_identity(struct api_request *req, const struct storage_def *def);
void api_resources_write_storage(struct api_request *req, const struct storage_def *def);
/* The node's element. */
void api_resources_write_node(const struct core *core, bool with_load, struct json *j);
/* How many guests' texts were made so far; for tests. */
uint64_t api_resources_encoded(void);
/* Drops the cache. */
void api_resources_forget(void);
