/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks what a job copies against a sum that the user gave. */
#include "agent/task/host/checksum.h"

#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/digest.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static const struct {
	const char *name;
	gnutls_digest_algorithm_t id;
} algorithms[] = {
	{"md5", GNUTLS_DIG_MD5},       {"sha1", GNUTLS_DIG_SHA1},     {"sha224", GNUTLS_DIG_SHA224},
	{"sha256", GNUTLS_DIG_SHA256}, {"sha384", GNUTLS_DIG_SHA384}, {"sha512", GNUTLS_DIG_SHA512},
};

static int expected_set(struct checksum *sum, const char *expected, struct err *err)
{
	size_t size = strlen(expected);
	if (size != 2u * sum->size)
		return err_field(err, "checksum", "expected %u hexadecimal digits", 2 * sum->size);
	for (size_t i = 0; i < size; i++) {
		char c = expected[i];
		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		if (!strchr("0123456789abcdef", c))
			return err_field(err, "checksum", "expected hexadecimal digits");
		sum->expected[i] = c;
	}
	return 0;
}

int checksum_begin(const char *algorithm, const char *expected, struct checksum *ret,
		   struct err *err)
{
	struct checksum sum = {0};
	size_t i = 0;
	if (!algorithm && !expected) {
		*ret = sum;
		return 0;
	}
	if (!algorithm || !expected)
		return err_field(err, algorithm ? "checksum" : "checksum-algorithm",
				 "checksum and checksum-algorithm go together");
	while (i < ARRAY_SIZE(algorithms) && !str_eq(algorithms[i].name, algorithm))
		i++;
	if (i == ARRAY_SIZE(algorithms))
		return err_field(err, "checksum-algorithm", "unknown algorithm '%.32s'", algorithm);
	sum.size = gnutls_hash_get_len(algorithms[i].id);
	int r = expected_set(&sum, expected, err);
	if (r < 0)
		return r;
	if (gnutls_hash_init(&sum.hash, algorithms[i].id) < 0)
		return err_set(err, ERR_UNSUPPORTED, "feature not available: %s on this system",
			       algorithm);
	*ret = sum;
	return 0;
}

void checksum_add(struct checksum *sum, const void *data, size_t size)
{
	if (sum->hash)
		gnutls_hash(sum->hash, data, size);
}

int checksum_verify(struct checksum *sum, struct err *err)
{
	unsigned char value[64];
	autobuf text = BUF_INIT;
	if (!sum->hash)
		return 0;
	gnutls_hash_output(sum->hash, value);
	digest_hex(value, sum->size, &text);
	if (!str_eq(buf_str(&text), sum->expected))
		return err_set(err, ERR_CORRUPT, "checksum mismatch: got '%s' != expect '%s'",
			       buf_str(&text), sum->expected);
	return 0;
}

void checksum_fini(struct checksum *sum)
{
	if (sum->hash)
		gnutls_hash_deinit(sum->hash, NULL);
	sum->hash = NULL;
}
