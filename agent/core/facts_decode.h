/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts from fields. Pure. On failure the struct may be half filled: pass a copy. */
#pragma once

#include "agent/core/facts.h"

int facts_decode_vmid(const struct fields *f, unsigned *ret, struct err *err);
/* `fact` holds what was known before; it is kept where f is silent about the same process. */
int facts_decode_guest(const struct fields *f, struct guest_fact *fact, struct err *err);
int facts_decode_node(const struct fields *f, struct node_fact *node, struct err *err);
