/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to this folder. */
#pragma once

#include "storage/catalog/catalog.h"

/* All keys are known and belong together. */
int catalog_entry_check(const struct catalog_entry *entry, struct err *err);
size_t catalog_sum_digits(const char *kind); /* 0: unknown */
/* Exactly so many hexadecimal digits, then something else. */
bool catalog_sum_is_hex(const char *text, size_t digits);
