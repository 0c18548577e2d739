/* SPDX-License-Identifier: GPL-2.0-or-later */
/* multipart/form-data (RFC 7578) as it comes in, in pieces of any size. Pure. Nothing but the head of a part
 * is kept, so a part may be of any length. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

#define MULTIPART_NAME_MAX 256
#define MULTIPART_HEAD_MAX 8192

/* Called while feeding; a negative result ends that, and is its result. */
struct multipart_ops {
	/* file: the name of a file as the client sent it, without folders; NULL: an ordinary field. */
	int (*on_part)(void *ctx, const char *name, const char *file, struct err *err);
	int (*on_data)(void *ctx, const char *data, size_t size, struct err *err);
	int (*on_part_end)(void *ctx, struct err *err);
};

struct multipart;

/* content_type: the header, with its boundary. */
int multipart_new(const char *content_type, const struct multipart_ops *ops, void *ctx,
		  struct multipart **ret, struct err *err);
void multipart_free(struct multipart *m);
/* ERR_INVALID on what is no multipart body; m is of no use afterwards. */
int multipart_feed(struct multipart *m, const char *data, size_t size, struct err *err);
bool multipart_is_over(const struct multipart *m); /* the final boundary was read */
