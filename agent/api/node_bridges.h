/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of interfaces for those who choose a bridge: only bridges that one sees. Core's loop only. */
#pragma once

#include "agent/api/api.h"

/* Is the list asked for to choose from it? */
bool api_bridges_are_asked(const struct api_request *req);
/* Writes the list as the helper made it, a JSON array, without the bridges that the caller has neither SDN.Audit nor
 * SDN.Use on. */
int api_bridges_write(struct api_request *req, const char *text, size_t size, struct err *err);
