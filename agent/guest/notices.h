/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a configuration asks for and this version does not do: accepted, kept, and said where it matters. Pure. */
#pragma once

#include "agent/guest/config.h"

/* One field for each: the key ("net0") and the text, a sentence. */
void guest_notices(const struct guest_config *config, struct fields *ret);
