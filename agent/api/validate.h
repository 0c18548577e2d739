/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks what a client sent against a route's parameter tables. Pure. */
#pragma once

#include "agent/api/api.h"

/* path: parameters of the path; given: query and body. Everything valid is appended to ret
 * (booleans as "1" or "0"), everything wrong to ret_errors as (parameter, text), one text a
 * parameter, all of them. True if nothing is wrong. */
bool api_validate(const struct api_route *route, const struct fields *path,
		  const struct fields *given, struct fields *ret, struct fields *ret_errors);
