/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Creations that stopped half-way: the core stored the guest's configuration ("lock: create") and was
 * gone before it started the job. At start each such guest without a job is undone. */
#pragma once

#include "agent/core/core.h"

struct unfinished;

struct unfinished *unfinished_new(struct core *core);
void unfinished_free(struct unfinished *u);
/* Once at start; waits until the jobs of the core before are known. */
void unfinished_begin(struct unfinished *u);
