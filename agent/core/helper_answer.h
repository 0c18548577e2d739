/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The error line of a helper: "CODE FIELD message". Pure. */
#pragma once

#include <stddef.h>

#include "agent/base/err.h"

/* Fills err from the first line of text; ERR_INTERNAL if it is not such a line. Returns -err->code. */
int helper_error_parse(const char *name, const char *text, size_t size, struct err *err);
