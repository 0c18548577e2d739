/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where templates are made: a folder in /var/tmp for each, which is locked (flock) while its job lives. Runs in jobs. */
#pragma once

#include "agent/base/err.h"

/* Makes one, which everybody may pass through and nobody list (apt fetches as a user of its own), after removing those
 * whose job is gone. *ret_folder: heap, the caller removes it; *ret_lock: a descriptor, to be closed after that. */
int template_room_make(char **ret_folder, int *ret_lock, struct err *err);
