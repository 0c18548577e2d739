/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text form of a store: `lodge store dump` writes it, `lodge store restore` makes a new store of it. A JSON object a
 * line: a header, the values in path order, an end with their number and the digest of all lines before. Pure.
 *
 *   {"format":"lodge-store-dump","version":1,"cluster":"…","fork":"…","incarnation":"…","epoch":3,"index":120,
 *    "committed":120,"voters":1}
 *   {"path":"/a","version":7,"text":"…"}
 *   {"path":"/b","version":9,"base64":"…"}       for bytes that are no plain text
 *   {"end":2,"digest":"…"}
 *
 * The digest of a file is folded: SHA-256 over the digest so far (zeros at first) and the next line without its end. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "agent/base/digest.h"
#include "agent/base/err.h"
#include "cluster/store.h"

#define STORE_DUMP_FORMAT   "lodge-store-dump"
#define STORE_DUMP_VERSION  1
#define STORE_DUMP_LINE_MAX (6 * STORE_VALUE_MAX + 4096)

enum store_dump_kind { STORE_DUMP_HEADER = 1, STORE_DUMP_VALUE, STORE_DUMP_END };

struct store_dump_line {
	enum store_dump_kind kind;
	/* header */
	char cluster[33], fork[33], incarnation[33];
	uint64_t epoch, index, committed, voters;
	/* value */
	char path[STORE_PATH_MAX + 1];
	uint64_t version;
	struct buf value; /* owned */
	/* end */
	uint64_t count;
	char digest[SHA256_HEX_SIZE];
};

void store_dump_line_fini(struct store_dump_line *line);
void store_dump_encode(const struct store_dump_line *line, struct buf *out); /* without a newline */
int store_dump_decode(const char *text, size_t size, struct store_dump_line *ret, struct err *err);

/* A dump as it is written or read: what its lines must be, one after the other. */
struct store_dump {
	bool has_header, is_complete;
	uint64_t count;
	char path[STORE_PATH_MAX + 1]; /* of the last value: they rise */
	uint8_t digest[SHA256_SIZE];
};

/* The next line, which the caller frees. ERR_CORRUPT: it cannot be the next one, the file was damaged or changed. */
int store_dump_take(struct store_dump *dump, const char *text, size_t size,
		    struct store_dump_line *ret, struct err *err);
/* Appends the line and a newline. An END is filled in. */
void store_dump_put(struct store_dump *dump, struct store_dump_line *line, struct buf *out);
