/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lists say about this node. */
#pragma once

#include "agent/api/api.h"

/* The members that /nodes and /cluster/resources share, into the open object: id, type, node,
 * status, level, and the load for those who may see it (Sys.Audit on the node). */
void api_write_node(struct api_request *req);
/* "AB:CD:…" SHA-256 of the gate's certificate, or "" if there is none yet. Borrowed. */
const char *api_node_fingerprint(void);
/* The address of this node for others, or "". */
void api_node_address(char *ret, size_t size);
