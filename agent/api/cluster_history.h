/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of /cluster/history only. Core's loop. */
#pragma once

#include "agent/api/api.h"

/* May the one who asked see what is at this path? *ret_since_created: only since it was created. */
int api_history_check(const struct api_request *req, const char *path, bool *ret_since_created,
		      struct err *err);

/* Goes on with the answer like a handler: 0, API_LATER or an error. */
typedef int (*api_history_step)(struct api_request *req, const struct store_history *history,
				struct err *err);
/* Asks for the list, or for the value of query->version, and goes on with step; the one that waits may go
 * away meanwhile. Returns API_LATER or an error. */
int api_history_read(struct api_request *req, const struct store_history_query *query,
		     api_history_step step, struct err *err);

/* cluster_history_revert.c: the handler of POST /cluster/history/revert */
int api_history_revert(struct api_request *req, struct err *err);
