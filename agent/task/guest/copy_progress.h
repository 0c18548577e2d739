/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far the copy of a volume is, in the task's log: a line every ten per cent. One copy at a time. */
#pragma once

#include <stdint.h>

void copy_progress_begin(void);
void copy_progress(uint64_t done, uint64_t total); /* bytes; of struct volume_copy */
