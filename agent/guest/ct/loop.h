/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which loop device an image is on. Runs in jobs, in forked steps. */
#pragma once

#include "agent/base/err.h"

/* The one that has this image, whatever path it was attached by; opened, so that it stays. ERR_NOT_FOUND: none has. Asks the
 * file systems of all images that are on one: with a deadline. */
int ct_loop_find(const char *image, int *ret_fd, char ret_device[32], struct err *err);
