/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checksum of a stream, by the contract's algorithm names. */
#pragma once

#include <gnutls/crypto.h>
#include <stddef.h>

#include "agent/base/err.h"

struct checksum {
	gnutls_hash_hd_t hash; /* NULL: nothing to check */
	unsigned size;
	char expected[129]; /* lower case */
};

/* Both NULL: no check. One without the other, an unknown algorithm or a malformed sum: ERR_INVALID. */
int checksum_begin(const char *algorithm, const char *expected, struct checksum *ret,
		   struct err *err);
void checksum_add(struct checksum *sum, const void *data, size_t size);
int checksum_verify(struct checksum *sum, struct err *err); /* ERR_CORRUPT if it differs */
void checksum_fini(struct checksum *sum);
