/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast a job may copy: the request's own bwlimit, those of the storages, that of all. Core's loop only. */
#pragma once

#include "agent/api/api.h"

/* KiB a second; 0: no bound. operation: "clone", "move", "restore"; storages: their names, those that are read and
 * written. The smallest bound wins; a storage's own goes before that of all. Who may allocate on the storages, or change
 * the node, decides by the request alone, 0 included. */
uint64_t guest_bwlimit(const struct api_request *req, const char *operation,
		       const struct fields *storages);
