/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /user.cfg that name a guest. Pure. */
#include "agent/auth/text/acl_forget.h"

#include <string.h>

#include "agent/base/mem.h"

bool acl_forget_guest(const char *text, size_t size, unsigned vmid, struct buf *out)
{
	autofree char *start = xasprintf("acl:/vms/%u:", vmid);
	size_t length = strlen(start);
	bool is_found = false;

	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t line = end ? (size_t)(end - text) + 1 : size;

		if (line >= length && memcmp(text, start, length) == 0)
			is_found = true;
		else
			buf_add(out, text, line);
		text += line;
		size -= line;
	}
	return is_found;
}
