/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A multipart body: whole and cut into pieces it must come out the same. The first byte is the size of the
 * pieces. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/gate/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_part(void *ctx, const char *name, const char *file, struct err *err)
{
	(void)err;
	if (name[0] == '\0' || strlen(name) > MULTIPART_NAME_MAX || (file && strchr(file, '/')))
		abort();
	buf_addf(ctx, "[%s|%s:", name, file ? file : "-");
	return 0;
}

static int on_data(void *ctx, const char *bytes, size_t size, struct err *err)
{
	(void)err;
	buf_add(ctx, bytes, size);
	return 0;
}

static int on_part_end(void *ctx, struct err *err)
{
	(void)err;
	buf_add_char(ctx, ']');
	return 0;
}

static int run(const char *bytes, size_t size, size_t piece, struct buf *ret)
{
	static const struct multipart_ops ops = {on_part, on_data, on_part_end};
	struct multipart *m;
	int r = 0;

	if (multipart_new("multipart/form-data; boundary=b", &ops, ret, &m, NULL) < 0)
		abort();
	for (size_t at = 0; r == 0 && at < size; at += piece)
		r = multipart_feed(m, bytes + at, size - at < piece ? size - at : piece, NULL);
	if (r == 0 && multipart_is_over(m))
		r = 1;
	multipart_free(m);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autobuf whole = BUF_INIT, pieces = BUF_INIT;
	const char *text = (const char *)data + 1;
	struct multipart *m = NULL;

	if (size < 2)
		return 0;
	autofree char *type = xstrndup(text, size - 1);
	if (multipart_new(type, NULL, NULL, &m, NULL) == 0)
		multipart_free(m);
	int a = run(text, size - 1, size - 1, &whole),
	    b = run(text, size - 1, data[0] + 1u, &pieces);
	if (a != b ||
	    (a >= 0 && (whole.size != pieces.size ||
			(whole.size && memcmp(whole.data, pieces.data, whole.size) != 0))))
		abort();
	return 0;
}
