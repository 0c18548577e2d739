/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of a file inside a container that is Lodge's, between two marks. Pure. */
#pragma once

#include <stdbool.h>

#include "agent/base/buf.h"

#define CT_SECTION_BEGIN                                                                           \
	"# lodge begin: written at each start; remove both marks to keep your own version\n"
#define CT_SECTION_END "# lodge end\n"

void ct_section_add(struct buf *out, const char *body);
/* old with another body in its section. false, and nothing added, where old has not exactly one. */
bool ct_section_replace(const char *old, const char *body, struct buf *out);
bool ct_section_is_mark(const char *line); /* starts with either mark's line */
