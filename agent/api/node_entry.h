/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lists say about this node. */
#pragma once

#include "agent/api/api.h"

/* Whether the load is known, and shown to this identity (Sys.Audit on the node). */
bool api_node_load_is_visible(const struct core *core, const struct identity *who);
/* The members that /nodes and /cluster/resources share, into the open object: id, type, node,
 * status, level, and the load. */
void api_write_node(const struct core *core, bool with_load, struct json *j);
/* The address of this node for others, or "". */
void api_node_address(char *ret, size_t size);
