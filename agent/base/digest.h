/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashes and encodings, by nettle. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"

#define SHA1_SIZE	20
#define SHA256_SIZE	32
#define SHA1_HEX_SIZE	41 /* with the NUL */
#define SHA256_HEX_SIZE 65

void digest_sha1(const void *data, size_t size, uint8_t ret[SHA1_SIZE]);
void digest_sha1_hex(const void *data, size_t size, char ret[SHA1_HEX_SIZE]);
void digest_sha256(const void *data, size_t size, uint8_t ret[SHA256_SIZE]);
void digest_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
			uint8_t ret[SHA256_SIZE]);
void digest_hex(const void *data, size_t size, struct buf *out); /* lower case */
void base64_encode(const void *data, size_t size, struct buf *out);
/* Strict: padding required, no white space. false on bad input. */
bool base64_decode(const char *text, size_t size, struct buf *out);
/* application/x-www-form-urlencoded and path decoding; false on a bad escape or an encoded NUL */
bool url_decode(const char *text, size_t size, bool plus_is_space, struct buf *out);
void url_encode(const char *text, struct buf *out); /* unreserved characters stay */
