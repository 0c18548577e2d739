/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stopped half-way and has no job any more: a creation whose configuration ("lock: create") was stored by a core
 * that was gone before it started the job; a job on volumes that was lost with its node. At start each such guest
 * gets a job that ends it, and again less and less often until one has. */
#pragma once

#include "agent/core/core.h"

struct unfinished;

struct unfinished *unfinished_new(struct core *core);
void unfinished_free(struct unfinished *u);
/* At start; waits until the jobs of the core before are known. */
void unfinished_begin(struct unfinished *u);
