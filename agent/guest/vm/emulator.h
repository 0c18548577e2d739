/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom libvirtd's emulators run as, and what they may read beside the volumes that libvirtd gives them. Runs in jobs. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "agent/base/err.h"

/* From hv_capabilities(): the group of emulators. false: they stay root's. */
bool emulator_group(const char *capabilities, gid_t *ret);
/* The file stays root's, and read-only; this group may read it. One of a file system without owners is left as it is. */
int emulator_may_read(const char *path, gid_t group, struct err *err);
