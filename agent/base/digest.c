/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashes and encodings, by nettle. */
#include "agent/base/digest.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <string.h>

#include "agent/base/str.h"

void digest_hex(const void *data, size_t size, struct buf *out)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < size; i++) {
		buf_add_char(out, "0123456789abcdef"[p[i] >> 4]);
		buf_add_char(out, "0123456789abcdef"[p[i] & 15]);
	}
}

void digest_sha1(const void *data, size_t size, uint8_t ret[SHA1_SIZE])
{
	struct sha1_ctx ctx;

	sha1_init(&ctx);
	sha1_update(&ctx, size, data);
	sha1_digest(&ctx, SHA1_SIZE, ret);
}

void digest_sha1_hex(const void *data, size_t size, char ret[SHA1_HEX_SIZE])
{
	uint8_t raw[SHA1_SIZE];
	autobuf hex = BUF_INIT;

	digest_sha1(data, size, raw);
	digest_hex(raw, sizeof(raw), &hex);
	memcpy(ret, buf_str(&hex), SHA1_HEX_SIZE);
}

void digest_sha256(const void *data, size_t size, uint8_t ret[SHA256_SIZE])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, size, data);
	sha256_digest(&ctx, SHA256_SIZE, ret);
}

void digest_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
			uint8_t ret[SHA256_SIZE])
{
	struct hmac_sha256_ctx ctx;

	hmac_sha256_set_key(&ctx, key_size, key);
	hmac_sha256_update(&ctx, size, data);
	hmac_sha256_digest(&ctx, SHA256_SIZE, ret);
}

void base64_encode(const void *data, size_t size, struct buf *out)
{
	buf_reserve(out, BASE64_ENCODE_RAW_LENGTH(size));
	base64_encode_raw(out->data + out->size, size, data);
	out->size += BASE64_ENCODE_RAW_LENGTH(size);
	buf_str(out);
}

bool base64_decode(const char *text, size_t size, struct buf *out)
{
	struct base64_decode_ctx ctx;
	size_t done = BASE64_DECODE_LENGTH(size);

	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] <= ' ')
			return false; /* nettle skips white space */
	if (size % 4 != 0)
		return false;
	buf_reserve(out, done);
	base64_decode_init(&ctx);
	if (!base64_decode_update(&ctx, &done, (uint8_t *)out->data + out->size, size, text) ||
	    !base64_decode_final(&ctx)) {
		buf_str(out);
		return false;
	}
	out->size += done;
	buf_str(out);
	return true;
}

static bool url_decode_raw(const char *text, size_t size, bool plus_is_space, struct buf *out)
{
	for (size_t i = 0; i < size; i++) {
		uint64_t c = (unsigned char)text[i];
		char digits[3] = {0};

		if (c == '%') {
			if (size - i < 3)
				return false;
			memcpy(digits, text + i + 1, 2);
			if (!str_hex_to_u64(digits, 2, &c))
				return false;
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		if (c == 0)
			return false;
		buf_add_char(out, (char)c);
	}
	return true;
}

bool url_decode(const char *text, size_t size, bool plus_is_space, struct buf *out)
{
	size_t start = out->size;

	if (url_decode_raw(text, size, plus_is_space, out))
		return true;
	out->size = start;
	buf_str(out);
	return false;
}

void url_encode(const char *text, struct buf *out)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool is_unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				     (c >= '0' && c <= '9') || strchr("-._~", c);

		if (is_unreserved)
			buf_add_char(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}
