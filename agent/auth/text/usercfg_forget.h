/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of /user.cfg (usercfg.h) without what names a guest that is gone: whoever gets its id next is another one.
 * Pure. */
#pragma once

#include <stdbool.h>

#include "agent/base/buf.h"

/* Appends the text with the guest in no pool and, unless keeps_rights, without the lines "acl:/vms/VMID:…". false: it
 * says nothing of it. */
bool usercfg_forget_guest(const char *text, size_t size, unsigned vmid, bool keeps_rights,
			  struct buf *out);
