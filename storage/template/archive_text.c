/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "storage/template/archive_text.h"

#define BLOCK 4096

int archive_fail(struct archive *a, struct err *err)
{
	return err_set(err, ERR_CORRUPT, "damaged archive: %s",
		       archive_error_string(a) ?: "unknown error");
}

int archive_text(struct archive *a, size_t max, struct buf *ret, struct err *err)
{
	char block[BLOCK];
	for (;;) {
		la_ssize_t n = archive_read_data(a, block, sizeof(block));
		if (n == ARCHIVE_RETRY)
			continue;
		if (n <= 0)
			return n < 0 ? archive_fail(a, err) : 0;
		if (ret->size + (size_t)n > max)
			return err_set(err, ERR_LIMIT, "a text in it is larger than %zu bytes",
				       max);
		buf_add(ret, block, (size_t)n);
	}
}
