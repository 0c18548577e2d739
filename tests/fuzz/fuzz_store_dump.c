/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store as text: each line alone, and all of them in order as a restore takes them. What decodes encodes to a line that
 * decodes to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/store_dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct store_dump_line *a, const struct store_dump_line *b)
{
	if (a->kind != b->kind || strcmp(a->path, b->path) != 0 || a->version != b->version ||
	    a->value.size != b->value.size ||
	    (a->value.size && memcmp(a->value.data, b->value.data, a->value.size) != 0) ||
	    a->count != b->count || strcmp(a->digest, b->digest) != 0 || a->index != b->index ||
	    a->epoch != b->epoch || strcmp(a->cluster, b->cluster) != 0)
		abort();
}

static void check_line(const char *text, size_t size)
{
	struct store_dump_line line, back;
	autobuf again = BUF_INIT;

	if (store_dump_decode(text, size, &line, NULL) < 0)
		return;
	store_dump_encode(&line, &again);
	if (store_dump_decode(again.data, again.size, &back, NULL) < 0)
		abort();
	check_same(&line, &back);
	store_dump_line_fini(&line);
	store_dump_line_fini(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	struct store_dump dump = {0};

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = newline ? (size_t)(newline - at) : (size_t)(end - at);
		struct store_dump_line line;

		check_line(at, length);
		if (store_dump_take(&dump, at, length, &line, NULL) == 0)
			store_dump_line_fini(&line);
		at += length + 1;
	}
	return 0;
}
