/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /user.cfg that name a guest. Pure. */
#include "agent/auth/text/usercfg_forget.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define POOL	     "pool:"
#define POOL_MEMBERS 3 /* colons before the ids of a pool's guests */

/* The ids of "pool:POOLID:COMMENT:VMID,…:STORAGE,…", NULL if the line is none of these. */
static const char *pool_members(const char *line)
{
	if (!str_starts(line, POOL))
		return NULL;
	for (int i = 0; line && i < POOL_MEMBERS; i++) {
		line = strchr(line, ':');
		line = line ? line + 1 : NULL;
	}
	return line;
}

/* The line without the id in its list of members; false: it is not there. */
static bool drop_member(const char *line, const char *id, struct buf *out)
{
	const char *members = pool_members(line);
	size_t length = strlen(id);

	for (const char *at = members; at; at += strcspn(at, ",:") + 1) {
		const char *end = at + strcspn(at, ",:");

		if ((size_t)(end - at) == length && memcmp(at, id, length) == 0) {
			bool is_last = *end != ',';

			/* one comma goes as well */
			buf_add(out, line, (size_t)(at - line) - (is_last && at > members));
			buf_add_str(out, is_last ? end : end + 1);
			return true;
		}
		if (*end != ',')
			break;
	}
	return false;
}

static bool take_line(const char *line, const char *id, const char *rights, struct buf *out)
{
	if (drop_member(line, id, out))
		return true;
	if (rights && str_starts(line, rights))
		return true;
	buf_add_str(out, line);
	return false;
}

bool usercfg_forget_guest(const char *text, size_t size, unsigned vmid, bool keeps_rights,
			  struct buf *out)
{
	autofree char *id = xasprintf("%u", vmid);
	autofree char *rights = keeps_rights ? NULL : xasprintf("acl:/vms/%u:", vmid);
	bool is_found = false;

	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t length = end ? (size_t)(end - text) + 1 : size;
		autofree char *line = xstrndup(text, length);

		is_found |= take_line(line, id, rights, out);
		text += length;
		size -= length;
	}
	return is_found;
}
