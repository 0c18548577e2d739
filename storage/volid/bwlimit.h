/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The option bwlimit of a storage, or of all ("clone=10240,default=51200", in KiB a second). Pure. */
#pragma once

#include <stdint.h>

#define BWLIMIT_UNSAID	UINT64_MAX
#define BWLIMIT_KIB_MAX 1099511627776.0 /* 1 PiB a second: more is none */

/* What it says on an operation ("clone", "move", "restore", "migration"), in bytes a second: 0: no bound;
 * BWLIMIT_UNSAID: nothing, or nothing that can be read. option may be NULL. */
uint64_t bwlimit_of(const char *option, const char *operation);
/* KiB a second as text, in bytes. BWLIMIT_UNSAID: it is no number. */
uint64_t bwlimit_kib(const char *text);
/* The smaller bound of two; 0 is none. */
uint64_t bwlimit_smaller(uint64_t a, uint64_t b);
