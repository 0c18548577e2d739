/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the id ranges that belong to root. Runs in jobs. */
#include "agent/guest/ct/idmap.h"

#include "agent/base/fd.h"
#include "agent/base/str.h"

#define SUBID_FILE_MAX (1024 * 1024)

uint32_t ct_subid_find(const char *text)
{
	autostrv char **lines = str_split(text, "\n");

	for (char **line = lines; *line; line++) {
		autostrv char **parts = str_split(*line, ":");
		uint64_t first, count;

		if (strv_count(parts) != 3 || (!str_eq(parts[0], "root") && !str_eq(parts[0], "0")))
			continue;
		if (str_to_u64(parts[1], &first) && str_to_u64(parts[2], &count) && first > 0 &&
		    count >= CT_IDMAP_COUNT && first < UINT32_MAX - CT_IDMAP_COUNT)
			return (uint32_t)first;
	}
	return 0;
}

static int read_range(const char *path, uint32_t *ret, struct err *err)
{
	autobuf text = BUF_INIT;

	if (file_read(path, SUBID_FILE_MAX, &text, NULL) < 0 ||
	    (*ret = ct_subid_find(buf_str(&text))) == 0)
		return err_set(err, ERR_UNAVAILABLE,
			       "unprivileged containers need ids of their own: add the line "
			       "'root:100000:65536' to %s",
			       path);
	return 0;
}

int ct_idmap_read(struct ct_idmap *ret, struct err *err)
{
	struct ct_idmap map;
	int r;

	if ((r = read_range("/etc/subuid", &map.uid, err)) < 0 ||
	    (r = read_range("/etc/subgid", &map.gid, err)) < 0)
		return r;
	*ret = map;
	return 0;
}
