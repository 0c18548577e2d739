/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's tags. Pure. */
#pragma once

/* "b;A a,b" as it is stored: each once, in lower case, sorted, joined by ';' (heap). */
char *guest_tags_normalise(const char *value);
