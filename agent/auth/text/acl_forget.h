/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of /user.cfg without the rights on a guest that is gone: whoever gets its id next is another one. Pure. */
#pragma once

#include <stdbool.h>

#include "agent/base/buf.h"

/* Appends all lines but "acl:/vms/VMID:…". false: there is none. */
bool acl_forget_guest(const char *text, size_t size, unsigned vmid, struct buf *out);
